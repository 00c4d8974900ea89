"""Judges events against what really happened: the calls, texts, tokens, errors and people of the captured exports.

facts + events  ->  matching (which event tells of which call)  ->  judge (right or wrong, by family)  ->  report
"""

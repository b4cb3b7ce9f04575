"""A verifier of one's own: a classifier of two labels, trained from labelled answers.

`dianjin train-verifier` reads what the steps of a data pipeline left, candidates with verdicts. It
writes a model that vLLM and the local server serve at `/classify`, for a judge of
`kind: classifier`.
"""

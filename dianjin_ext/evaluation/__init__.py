"""What a model answers to held-out questions, graded by the rewards it was trained with."""

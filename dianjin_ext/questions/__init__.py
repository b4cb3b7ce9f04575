"""What is asked: questions from published files, the prompts, and which questions are alike."""

"""Policies on the Hugging Face hub: model cards, push and pull."""

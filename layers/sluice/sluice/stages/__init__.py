"""The stages of the workflows: one module each, called by the function of the same name."""

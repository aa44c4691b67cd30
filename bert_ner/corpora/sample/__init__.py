"""The built-in sample: generated training text, and a test split written by hand.

The whole project runs on it if no corpus is available. The texts belong to this
project: templates and lists in this folder, names from Faker.
"""

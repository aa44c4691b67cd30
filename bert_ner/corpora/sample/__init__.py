"""The built-in sample: generated training text, and a test split written by hand.

It lets the whole project run where no corpus can be had. The texts are this
project's own: templates and lists in this folder, names from Faker.
"""

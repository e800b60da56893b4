"""What makes the notebooks a course: a prediction before each picture, a check after each exercise."""

from snnlab.course.exercises import check
from snnlab.course.prediction import predict, reveal

__all__ = ["check", "predict", "reveal"]

"""Lesson 00, why spikes, and why convert: what its notebook does not show. It has no exercises."""

from snnlab.course.lessons import Answer, Exercise

ANSWERS = {
    "00.1": Answer(
        "its equations do not say",
        "Charge, fire, pay: no time stands there. A step is a round of the computation, and the machine decides how "
        "long a round takes. Only a leak brings in milliseconds.",
        {
            "1 ms, as in models of the brain": "models of the brain have membranes that leak, with a time constant. "
            "A converted network has none.",
            "as long as the ANN takes for an image": "on a computer that simulates it, a step is about such a pass. "
            "But a chip made for spikes works only where one arrives.",
        },
        section=3,
    ),
    "00.2": Answer(
        "in fewer than half of all cases",
        "6 of the 16 sequences of four draws have two spikes. The others show a pixel of 0, 0.25, 0.75 or 1.",
        {
            "always": "so it would be if the spikes were placed evenly. They are drawn, each by itself.",
            "in more than half of all cases": "two spikes are the most frequent number. But the four other numbers "
            "together are more frequent.",
        },
        section=4,
    ),
}

EXERCISES: dict[str, Exercise] = {}

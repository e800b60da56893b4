"""What a saved notebook shows of a widget: its page, in place of "model not found".

A widget lives in its kernel; of one that was saved the notebook has an address, and of the kernel nothing. So a widget
is shown as two outputs: itself, and a page that needs no kernel, hidden as long as the widget is there.
"""

from typing import Any

# The place of a widget with nothing in it but words, or in a page that was exported scripts:
_DEAD = ".jp-OutputArea-child:has(> .jupyter-widgets):not(:has(> .jupyter-widgets > :not(script)))"
_STYLE = (
    "<style>.snnlab-lasting{display:none}"
    f"{_DEAD} + .jp-OutputArea-child .snnlab-lasting{{display:block}}"
    f"{_DEAD}:has(+ .jp-OutputArea-child .snnlab-lasting){{display:none}}"
    ".snnlab-lasting p{margin:0 0 8px;font-style:italic}</style>"
)


class Lasting:
    """Mixed into a widget class: what `lasting` gives is shown wherever the widget itself is lost."""

    def lasting(self) -> str:
        """HTML that stands in for the widget, and needs no kernel."""
        raise NotImplementedError

    def _ipython_display_(self, **_: Any) -> None:
        from IPython.display import display  # only where a kernel has it loaded

        bundle = self._repr_mimebundle_()  # type: ignore[attr-defined]
        data, *metadata = bundle if isinstance(bundle, tuple) else (bundle,)
        display(data, metadata=metadata[0] if metadata else None, raw=True)
        display(
            {"text/html": f'{_STYLE}<div class="snnlab-lasting">{self.lasting()}</div>', "text/plain": ""},
            raw=True,
        )

"""What a notebook shows of a fitted estimator."""

from __future__ import annotations

from typing import Any

from sklearn.base import BaseEstimator

# Properties, which copy nothing. Weights would be copied, of an FFM gigabytes, to show six of them.
_CHEAP = ("classes_", "feature_names_in_", "intercept_")


class Attributes(BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """The fitted attributes that are quick to show, in the eyes of scikit-learn."""

    def __init__(self) -> None:
        pass

    @classmethod
    def of(cls, estimator: Any) -> Attributes:
        """Those of an estimator."""
        found = {
            name: value
            for name, value in vars(estimator).items()
            if name.endswith("_") and name[0] != "_"
        }
        found |= {name: getattr(estimator, name) for name in _CHEAP if hasattr(estimator, name)}
        shown = cls()
        for name in sorted(found):
            setattr(shown, name, found[name])
        return shown

    def html_of(self, kind: type, doc_link: str) -> Any:
        """Their table, of estimators of this kind."""
        table = super()._get_fitted_attr_html(doc_link)
        table.estimator_class = kind
        return table

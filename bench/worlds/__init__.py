"""Made-up worlds whose truth is known, against which the estimators are judged. None of them knows an estimator."""

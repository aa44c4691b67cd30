from bert_ner.evaluation.label_errors import DEPTHS, Suspect, judge


def test_precision_and_recall_of_a_ranking() -> None:
    suspects = [Suspect(i, 0, 5, 600.0 - i, 0) for i in range(600)]
    rows = judge(suspects, {(i, 0) for i in (0, 10, 49, 99, 599)})
    assert [row["sentences"] for row in rows] == [5, *DEPTHS]
    assert (rows[0]["precision"], rows[0]["recall"]) == (1 / 5, 1 / 5)
    assert (rows[1]["precision"], rows[1]["recall"]) == (3 / 50, 3 / 5)
    assert (rows[3]["precision"], rows[3]["recall"]) == (4 / 500, 4 / 5)
    assert judge(suspects[:70], set())[0] == {"sentences": 50, "precision": 0.0, "recall": 0.0}

"""Lines as the tools print them, and what is in each; numbers of their own."""
# ruff: noqa: E501  # lines of logs

import math

import pytest

from audioloss_cli.readers.text.parser import Parser

STAMP = "2024-11-01 10:00:00,123"

LINES = [
    ("Step 10 - Losses: Text=2.4, Audio=3.2, Total=5.6", {"step": 10}, {"Losses/Text": 2.4, "Losses/Audio": 3.2, "Losses/Total": 5.6}),
    (f"{STAMP} - INFO - Step 10: Text Loss = 2.49, Audio Loss = 6.50", {"step": 10}, {"Text Loss": 2.49, "Audio Loss": 6.5}),
    ("Audio loss computed: 2.03, device: cuda:0", {}, {"Audio loss computed": 2.03}),
    ("Codebook 3 loss: 4.68", {}, {"Codebook 3 loss": 4.68}),
    ("{'loss': '6.018', 'grad_norm': nan, 'epoch': 0.01}", {"epoch": 0.01}, {"loss": 6.018, "grad_norm": math.nan}),
    ("{'train': {'a_loss': [1, 2.5], 'x': tensor(3.2, device='cuda:0')}, 'y': np.float32(inf), 'step': 175}", {"step": 175}, {"train/a_loss/0": 1, "train/a_loss/1": 2.5, "train/x": 3.2, "y": math.inf}),
    (f"[{STAMP}][train_inner][INFO] - " + '{"num_updates": "101", "audio_loss": "5.05"}', {"num_updates": 101}, {"audio_loss": 5.05}),
    (f"[INFO|callbacks.py:312] {STAMP} >> " + "{'loss': 1.2, 'throughput': 10.5}", {}, {"loss": 1.2, "throughput": 10.5}),
    ("Step 1 | loss:6.07 lr:2e-07 tokens_per_second_per_gpu:4989.15", {"step": 1}, {"loss": 6.07, "lr": 2e-7, "tokens_per_second_per_gpu": 4989.15}),
    (f"[titan] {STAMP} - root - INFO - step:  1  loss:  8.2  grad_norm:  1.5  memory:  5.0GiB(5.3%)  tps: 1,234", {"step": 1}, {"loss": 8.2, "grad_norm": 1.5, "tps": 1234.0}),
    (f" [{STAMP[:19]}] iteration       10/     100 | consumed samples:          128 | lm loss: 1.08E+01 | grad norm: 5.1 | number of nan iterations:   0 |", {"iteration": 10}, {"lm loss": 10.8, "grad norm": 5.1, "consumed samples": 128}),
    (" validation loss at iteration 1000 on validation set | lm loss value: 2.31E+00 |", {"iteration": 1000}, {"eval/lm loss value": 2.31}),
    ("Training epoch 0, iteration 9/99 | lr: 1e-4 | global_step: 9 | reduced_train_loss: 11.03", {"epoch": 0, "iteration": 9, "global_step": 9}, {"lr": 1e-4, "reduced_train_loss": 11.03}),
    ("Epoch 0: :  10%|#  | 30/300 [00:30<04:30, v_num=0, reduced_train_loss=2.300, global_step=29.00]", {"epoch": 0, "place": 30, "global_step": 29}, {"reduced_train_loss": 2.3}),
    (f"{STAMP[:19]} | INFO | valid | epoch 001 | valid on 'valid' subset | loss 9.1 | nll_loss 8.8 | ppl 461 | num_updates 500", {"epoch": 1, "num_updates": 500}, {"eval/loss": 9.1, "eval/nll_loss": 8.8, "eval/ppl": 461}),
    ("| epoch 001:    100 / 500 loss=10.2, nll_loss=9.8, num_updates=100, gnorm=1.2", {"epoch": 1, "place": 100, "num_updates": 100}, {"loss": 10.2, "nll_loss": 9.8, "gnorm": 1.2}),
    (f"[gpu1] {STAMP} (trainer:732) INFO: 12epoch:train:101-200batch: iter_time=1.2e-04, loss_ctc=100.2, loss=70.1", {"epoch": 12, "place": 200}, {"loss_ctc": 100.2, "loss": 70.1}),
    (f"[gpu1] {STAMP} (trainer:338) INFO: 1epoch results: [train] loss=70.2, [valid] loss=60.1", {"epoch": 1}, {"train/loss": 70.2, "eval/loss": 60.1}),
    (f"{STAMP} INFO [train.py:903] (0/4) Epoch 1, batch 50, loss[loss=1.05, simple_loss=2.1, over 2000.00 frames.], tot_loss[loss=1.2, over 100000.00 frames.], batch size: 30, lr: 3.0e-03", {"epoch": 1, "batch": 50}, {"loss/loss": 1.05, "loss/simple_loss": 2.1, "tot_loss/loss": 1.2, "lr": 3e-3}),
    (f"{STAMP} INFO [train.py:903] (0/4) Epoch 1, validation: loss=0.9, over 1000 frames.", {"epoch": 1}, {"eval/loss": 0.9}),
    (f"{STAMP[:19]} - mmengine - INFO - Epoch(train)  [2][  50/ 100]  lr: 1.0e-02  eta: 0:01:00  loss: 2.3  loss_cls: 2.2", {"epoch": 2, "place": 50}, {"lr": 0.01, "loss": 2.3, "loss_cls": 2.2}),
    (f"{STAMP[:19]} - mmengine - INFO - Epoch(val)  [2][10/10]  loss: 2.5", {"epoch": 2, "place": 10}, {"eval/loss": 2.5}),
    (f"{STAMP} DEBUG TRAIN Batch 0/100 loss 4.2 acc 0.1 lr 0.00001 grad_norm 2.3 rank 0", {"epoch": 0, "place": 100}, {"loss": 4.2, "acc": 0.1, "lr": 1e-5, "grad_norm": 2.3}),
    (f"{STAMP} DEBUG CV Batch 3/100 loss 4.5 acc 0.1  rank 0", {"epoch": 3, "place": 100}, {"eval/loss": 4.5, "eval/acc": 0.1}),
    (f"{STAMP}\t32k\tINFO\t[2.5078, 2.2121, 17.8894, 10000, 9.75e-05]", {"global_step": 10000}, {"losses/0": 2.5078, "losses/1": 2.2121, "losses/2": 17.8894, "lr": 9.75e-5}),
    ("Losses: [2.5, 2.2, 4.4], step: 10000, lr: 9.75e-05", {"global_step": 10000}, {"losses/0": 2.5, "losses/1": 2.2, "losses/2": 4.4, "lr": 9.75e-5}),
    ("Epoch 0: 100%|##| 30/30 [00:10<00:00,  2.9it/s, v_num=0, total_loss_step=1e+3, lr_step=0.002]", {"epoch": 0, "place": 30}, {"total_loss_step": 1000.0, "lr_step": 0.002}),
    ("[10:15:34.362]  Step 998     [1.194 sec/step, loss=0.17, avg_loss=0.18]", {"step": 998}, {"loss": 0.17, "avg_loss": 0.18}),
    ("iter 100: train loss 8.92, val loss 8.91, time 3.5ms, mfu 20%", {"iter": 100}, {"train loss": 8.92, "val loss": 8.91}),
    ("     | > loss_mel: 2.3  (2.4)", {}, {"loss_mel": 2.3}),
    ("   --> STEP: 24/40 -- GLOBAL_STEP: 25", {"step": 24, "global_step": 25}, {}),
    ("100/100 [=====] - 5s 50ms/step - loss: 2.3 - accuracy: 0.1 - val_loss: 2.2", {"bar": 100}, {"loss": 2.3, "accuracy": 0.1, "val_loss": 2.2}),
    ("[Rank 0] step=10, skipped=0, lr=[1e-05], mom=[(0.9, 0.95)]", {"step": 10}, {"lr": 1e-5}),
    ("Train Epoch: 1 [640/60000 (1%)]\tLoss: 2.3", {"epoch": 1, "place": 640}, {"Loss": 2.3}),
    ("INFO 2026-06-12 ot_train.py:357 step:1K smpl:38K ep:121 epch:3.04 loss:1.019 grdn:32.9 lr:1.0e-05", {}, {"loss": 1.019, "grdn": 32.9, "lr": 1e-5}),
    ("[03-14 10:00:00][flashy.solver][INFO] - Train | Epoch 1 | 10/4000 | 3.10 it/sec | lr 1.00E-04 | ce 5.446 | ppl 231.81 | ce_q1 4.124 | ppl_q1 61.825 | ce_q2 nan", {"epoch": 1, "place": 10}, {"lr": 1e-4, "ce": 5.446, "ppl": 231.81, "ce_q1": 4.124, "ppl_q1": 61.825, "ce_q2": math.nan}),
    ("step 5 audio_ce 4.1 text_nll 2.2", {"step": 5}, {"audio_ce": 4.1, "text_nll": 2.2}),
    ("Train:   1%|#  | 15/1200 [00:30<39:30,  0.51it/s]", {"bar": 15}, {"Train": None}),
    ("loss:  10%|#  | 15/1200 [00:30<39:30,  0.51it/s, loss=2.5]", {"bar": 15}, {"loss": 2.5}),
    ("Train loss 20 40.191127 Grad Norm 2.034069 1.21s/it", {"iteration": 20}, {"Train loss": 40.191127}),
    ("Train loss 21 nan Grad Norm nan 1.21s/it", {"iteration": 21}, {"Train loss": math.nan}),
    ("Validation loss 500: 44.210240  ", {"iteration": 500}, {"Validation loss": 44.21024}),
    ("step 3 loss 4 0.5", {"step": 3}, {"loss": 4}),
    ("loss 2 acc 0.5", {}, {"loss": 2, "acc": 0.5}),
    ("epoch 0 step 10 loss tensor(7.53, device='cuda:0', grad_fn=<NllLossBackward0>)", {"epoch": 0, "step": 10}, {"loss": 7.53}),
    ("loss tensor([nan], device='cuda:0') acc tensor(0.5)", {}, {"loss": math.nan, "acc": 0.5}),
    (f"{STAMP} - 0 - levanter.tracker INFO :: Progress on:train 1.0it/20.0kit rate:1.2s/it remaining:6:41:22 postfix:loss=9.09", {}, {"loss": 9.09}),
    ("Epoch:[1/2](100/24000) loss:8.899 lr:0.0005 epoch_Time:299.0min:", {"epoch": 1, "place": 100}, {"loss": 8.899, "lr": 5e-4}),
    ("Epoch 1 (3/400) loss: 6.95 audio_loss: 2.5", {"epoch": 1, "place": 3}, {"loss": 6.95, "audio_loss": 2.5}),
    ("Step 10/2400 | Loss: 9.09 (text: 2.1, audio: 6.99) | LR: 5.00e-05 | audio: 3", {"step": 10}, {"Loss": 9.09, "Loss/text": 2.1, "Loss/audio": 6.99, "LR": 5e-5, "audio": 3}),
    ("(step=0000010) Train Loss: 9.7851 (audio: 7.6851, text: nan), Train Steps/Sec: 2.29", {"step": 10}, {"Train Loss": 9.7851, "Train Loss/audio": 7.6851, "Train Loss/text": math.nan}),
    ("step 5: val_loss=9.5 [c0 2.5 c1 3.5]", {"step": 5}, {"val_loss": 9.5, "val_loss/c0": 2.5, "val_loss/c1": 3.5}),
    ("step 5: loss 9.5 (audio: 70%, text: 30%, lr: 0.1)", {"step": 5}, {"loss": 9.5, "loss/audio": None, "lr": 0.1}),
    ("Step 10 | Losses - text: 2.1, audio: 7.1 | audio: 3", {"step": 10}, {"Losses/text": 2.1, "Losses/audio": 7.1, "audio": 3}),
    ("Step 10 | loss: text 2.1000 audio 6.9691 total 9.0691", {"step": 10}, {"loss/text": 2.1, "loss/audio": 6.9691}),
    ("100/100 [=====] - 5s 50ms/step - loss: 2.3 - audio: 0.1", {"bar": 100}, {"loss": 2.3, "audio": 0.1}),
    ("train_loss = nan, Audio loss: -inf", {}, {"train_loss": math.nan, "Audio loss": -math.inf}),
]  # fmt: skip


@pytest.mark.parametrize(("line", "counters", "numbers"), LINES, ids=[line[:40] for line, _, _ in LINES])
def test_a_line_says(line, counters, numbers):
    entry = Parser().parse(line)
    texts = [line[token.start : token.end] for token in entry.tokens]
    assert {each.name: float(texts[each.token]) for each in entry.counters} == counters
    found = {tag: float(texts[index].replace(",", "")) for tag, index in entry.numbers}
    assert {tag: repr(found.get(tag)) for tag in numbers} == {
        tag: repr(None if value is None else float(value)) for tag, value in numbers.items()
    }


@pytest.mark.parametrize(
    "line",
    [
        "",
        "UserWarning: None of the inputs have requires_grad=True.",
        "Using 8 GPUs and 4 workers",
        "  warnings.warn('loss is deprecated')",
        "loss = loss.float().mean()",
        "Downloading model.safetensors",
    ],
)
def test_a_line_says_no_loss(line):
    entry = Parser().parse(line)
    assert entry is None or not any("loss" in tag for tag, _ in entry.numbers)

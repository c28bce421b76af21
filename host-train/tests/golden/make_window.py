"""Computes the classic network's input with librosa, as the field's notebooks do, and writes window-22k.golden beside itself.

    python3 make_window.py          # needs librosa 0.11 and numpy

The file holds 2 x 4536 little-endian f32: the vectors of a clip of 1.9 s (continued with silence) and of one of 3.5 s.
The clips are integer arithmetic, so that the test makes the same samples.
"""

import pathlib

import librosa
import numpy as np

RATE = 22050


def clip(count):
    state, samples = 12345, np.zeros(count, dtype=np.float64)
    for i in range(count):
        state = (state * 1103515245 + 12345) % 2**31
        noise = (state >> 16) - 16384
        triangle = abs(i % 150 - 75) * 400 - 15000
        loudness = 1 + i % 6000
        samples[i] = (noise // 4 + triangle // 2) * loudness // 6000
    return samples / 32768


def vector(samples):
    start, length = int(0.6 * RATE), int(2.5 * RATE)
    y = samples[start:start + length]
    y = np.concatenate([y, np.zeros(length - len(y))])
    zcr = np.squeeze(librosa.feature.zero_crossing_rate(y, frame_length=2048, hop_length=512))
    rms = np.squeeze(librosa.feature.rms(y=y, frame_length=2048, hop_length=512))
    mfcc = librosa.feature.mfcc(y=y, sr=RATE, n_mfcc=40)
    return np.hstack((zcr, rms, np.ravel(mfcc.T)))


vectors = np.concatenate([vector(clip(int(RATE * seconds))) for seconds in (1.9, 3.5)])
assert vectors.shape == (2 * 4536,)
pathlib.Path(__file__).with_name("window-22k.golden").write_bytes(vectors.astype("<f4").tobytes())

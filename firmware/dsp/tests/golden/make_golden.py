"""Computes the golden vectors of undertone-dsp with librosa and writes one .golden file per configuration beside itself.

    python3 make_golden.py          # needs librosa 0.11 and numpy

A file is a text header, an empty line, and binary data, all little-endian:

    i16 samples[samples]            full scale is 32768
    u16 zero_crossings[frames]      sign changes per frame
    f32 rms[frames]
    f32 log_mel[frames][mel_bands]  dB
    f32 mfcc[frames][mfcc_count]

librosa gets the samples as float64, so that its own rounding is out of the way. Our frame t covers samples
[t * hop, t * hop + frame_length); librosa puts the window in the middle of n_fft samples, hence the padding below.
"""

import json
import pathlib
import platform

import librosa
import numpy as np

CONFIGS = {
    "default-16k": {},
    "keras-22k": dict(sample_rate=22050, frame_length=2048, hop_length=512, fft_size=2048, mel_bands=128,
                      mel_low_hz=0.0, mel_high_hz=11025.0, mfcc_count=40),
    "telephone-8k": dict(sample_rate=8000, frame_length=200, hop_length=80, fft_size=256, mel_bands=40,
                         mel_low_hz=80.0, mel_high_hz=4000.0, mfcc_count=13),
    "studio-48k": dict(sample_rate=48000, frame_length=1200, hop_length=480, fft_size=2048, mel_bands=64,
                       mel_low_hz=50.0, mel_high_hz=16000.0, mfcc_count=20),
    "odd-44k": dict(sample_rate=44100, frame_length=1103, hop_length=1201, fft_size=1323, mel_bands=41,
                    mel_low_hz=20.0, mel_high_hz=20000.0, mfcc_count=41),
}
DEFAULT = dict(sample_rate=16000, frame_length=400, hop_length=160, fft_size=512, mel_bands=64,
               mel_low_hz=50.0, mel_high_hz=8000.0, mfcc_count=40)


def chirp(rate, seconds):
    t = np.arange(int(rate * seconds)) / rate
    sweep = (0.45 * rate - 60.0) / seconds
    return 0.5 * np.sin(2 * np.pi * (60.0 * t + 0.5 * sweep * t * t))


def noise(rate, seconds):
    return 0.2 * np.random.default_rng(7).standard_normal(int(rate * seconds))


def speech(rate, seconds):
    """Harmonics of a falling voice under three formants, in syllables with pauses between them."""
    t = np.arange(int(rate * seconds)) / rate
    pitch = 180.0 - 120.0 * t
    phase = 2 * np.pi * np.cumsum(pitch) / rate
    voice = np.zeros_like(t)
    for harmonic in range(1, 40):
        hz = harmonic * pitch
        gain = sum(a / (1 + ((hz - f) / w) ** 2) for f, w, a in [(650, 90, 1.0), (1200, 120, 0.6), (2600, 200, 0.3)])
        voice += np.where(hz < 0.45 * rate, gain, 0.0) * np.sin(harmonic * phase)
    syllables = np.clip(np.sin(2 * np.pi * 7.0 * t), 0.0, None)
    return 0.25 * voice * syllables


def clipped(rate, seconds):
    t = np.arange(int(rate * seconds)) / rate
    return np.clip(1.6 * np.sin(2 * np.pi * 331.0 * t), -1.0, 1.0)


def signal(rate):
    faint = np.where(np.arange(int(0.03 * rate)) % 5 == 0, -1.0, 0.0) / 32768
    parts = [chirp(rate, 0.15), noise(rate, 0.1), np.zeros(int(0.06 * rate)), faint, speech(rate, 0.3), clipped(rate, 0.08)]
    return np.clip(np.round(np.concatenate(parts) * 32768), -32768, 32767).astype("<i2")


def features(samples, c):
    y = samples.astype(np.float64) / 32768
    length, hop = c["frame_length"], c["hop_length"]
    crossings = librosa.feature.zero_crossing_rate(
        y, frame_length=length, hop_length=hop, center=False, threshold=1e-10, pad=False)[0] * length
    rms = librosa.feature.rms(y=y, frame_length=length, hop_length=hop, center=False)[0]
    left = (c["fft_size"] - length) // 2
    padded = np.pad(y, (left, c["fft_size"] - length - left))
    mel = librosa.feature.melspectrogram(
        y=padded, sr=c["sample_rate"], n_fft=c["fft_size"], hop_length=hop, win_length=length, window="hann", center=False,
        power=2.0, n_mels=c["mel_bands"], fmin=c["mel_low_hz"], fmax=c["mel_high_hz"], htk=False, norm="slaney")
    log_mel = librosa.power_to_db(mel, ref=1.0, amin=1e-10, top_db=None)
    mfcc = librosa.feature.mfcc(S=log_mel, n_mfcc=c["mfcc_count"], dct_type=2, norm="ortho")
    assert len(crossings) == len(rms) == log_mel.shape[1] == mfcc.shape[1]
    return np.rint(crossings).astype("<u2"), rms.astype("<f4"), log_mel.T.astype("<f4"), mfcc.T.astype("<f4")


def main():
    here = pathlib.Path(__file__).parent
    for name, changes in CONFIGS.items():
        config = DEFAULT | changes
        samples = signal(config["sample_rate"])
        arrays = features(samples, config)
        header = [
            "undertone-dsp golden vectors, written by make_golden.py",
            f"made with: librosa {librosa.__version__}, numpy {np.__version__}, python {platform.python_version()}",
            f"config: {json.dumps(config)}",
            f"samples: {len(samples)}",
            f"frames: {len(arrays[0])}",
        ]
        data = samples.tobytes() + b"".join(np.ascontiguousarray(array).tobytes() for array in arrays)
        path = here / f"{name}.golden"
        path.write_bytes("\n".join(header).encode() + b"\n\n" + data)
        print(f"{path.name}: {len(arrays[0])} frames, {path.stat().st_size} bytes")


if __name__ == "__main__":
    main()

"""The peers of `undertone bench --peers`, one thread each.

Usage: peers.py MODEL AUDIO FRAMES ROWS WINDOW HOP. AUDIO is 32-bit float mono at 16 kHz; FRAMES are the model's feature
frames of it, ROWS values each; a window is WINDOW frames, one every HOP frames. Says first which peers are there and why
the others are not; then for every name that it reads, runs that peer once and says its CPU time in seconds.
"""

import json
import sys
import time

import numpy as np

RATE, FRAME, HOP_LENGTH, FFT, BANDS, COEFFICIENTS = 16000, 400, 160, 512, 64, 40
LOW, HIGH = 50.0, 8000.0


def librosa_features(audio):
    import librosa

    def run():
        feature, cut = librosa.feature, {"frame_length": FRAME, "hop_length": HOP_LENGTH, "center": False}
        feature.zero_crossing_rate(audio, **cut)
        feature.rms(y=audio, **cut)
        power = feature.melspectrogram(
            y=audio, sr=RATE, n_fft=FFT, win_length=FRAME, hop_length=HOP_LENGTH, center=False, n_mels=BANDS, fmin=LOW, fmax=HIGH
        )
        log_mel = librosa.power_to_db(power, ref=1.0, top_db=None)
        feature.mfcc(S=log_mel, n_mfcc=COEFFICIENTS)

    return librosa.__version__, run


def kaldi(options, online):
    options.frame_opts.samp_freq = RATE
    options.frame_opts.dither = 0.0
    options.mel_opts.num_bins = BANDS
    options.mel_opts.low_freq = LOW
    options.mel_opts.high_freq = HIGH

    def run(samples):
        extractor = online(options)
        extractor.accept_waveform(RATE, samples)
        extractor.input_finished()
        return extractor.num_frames_ready

    return run


def kaldi_mfcc(audio):
    import kaldi_native_fbank as knf

    options = knf.MfccOptions()
    options.num_ceps = COEFFICIENTS
    run, samples = kaldi(options, knf.OnlineMfcc), audio.tolist()
    return knf.__version__, lambda: run(samples)


def kaldi_fbank(audio):
    import kaldi_native_fbank as knf

    run, samples = kaldi(knf.FbankOptions(), knf.OnlineFbank), audio.tolist()
    return knf.__version__, lambda: run(samples)


def opensmile_egemaps(audio):
    import opensmile

    smile = opensmile.Smile(feature_set=opensmile.FeatureSet.eGeMAPSv02, feature_level=opensmile.FeatureLevel.Functionals)
    return opensmile.__version__, lambda: smile.process_signal(audio, RATE)


def raised(features, floor):
    """The frames of one utterance over the floor that the model's metadata hold, as the box's own stream puts it there."""
    if floor is None:
        return features
    floor, out = json.loads(floor), features.copy()
    depths = np.linspace(floor["low_db"], floor["high_db"], features.shape[0], dtype=np.float32)
    loudest = features[:, : floor["hold"]].max()
    for frame in range(features.shape[1]):
        if frame >= floor["hold"]:
            loudest = max(loudest - floor["release_db"], features[:, frame].max())
        out[:, frame] = np.maximum(features[:, frame], loudest - depths)
    return out


def onnxruntime_windows(model, frames, window, hop):
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    starts = range(0, frames.shape[1] - window + 1, hop)
    floor = session.get_modelmeta().custom_metadata_map.get("undertone.floor")
    windows = [raised(frames[:, start : start + window], floor) for start in starts]
    inputs = [np.ascontiguousarray(window[np.newaxis]) for window in windows]

    def run():
        return [session.run(["logits"], {"features": features})[0][0] for features in inputs]

    return onnxruntime.__version__, run


def main(model, audio, frames, rows, window, hop):
    audio = np.fromfile(audio, dtype=np.float32)
    frames = np.fromfile(frames, dtype=np.float32).reshape(-1, int(rows)).T
    makers = {
        "librosa": lambda: librosa_features(audio),
        "kaldi_mfcc": lambda: kaldi_mfcc(audio),
        "kaldi_fbank": lambda: kaldi_fbank(audio),
        "opensmile": lambda: opensmile_egemaps(audio),
        "onnxruntime": lambda: onnxruntime_windows(model, frames, int(window), int(hop)),
    }
    versions, runs, missing = {}, {}, {}
    for name, make in makers.items():
        try:
            versions[name], runs[name] = make()
        except Exception as error:  # a peer that is broken is left out like one that is not there
            missing[name] = f"{type(error).__name__}: {error}"
    print(json.dumps({"versions": versions, "missing": missing}), flush=True)
    for line in sys.stdin:
        began = time.process_time()
        result = runs[line.strip()]()
        seconds = time.process_time() - began
        logits = [[float(x) for x in answer] for answer in result] if line.strip() == "onnxruntime" else []
        print(json.dumps({"seconds": seconds, "logits": logits}), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])

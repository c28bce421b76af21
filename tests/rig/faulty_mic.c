/* An ALSA capture device whose faults can be ordered: a plugin for the real alsa-lib, of type `undertone_fault`.
 *
 *   folder    what the test does to it: `plugged` exists while the microphone is plugged in, `order` holds one of
 *             run, stall, suspend
 *   clip      headerless mono S16_LE at the device's rate, heard from its beginning at every start and over again
 *   format, rate, channels   all that it offers
 *   voice     the channel that carries the clip; the others are digital silence
 *   resume    0: the driver cannot resume, as many cannot
 *   waits     0: it runs by the clock, so that a reader that is late by more than the buffer loses samples (an overrun), as
 *             with a real device; 1: it stops while the buffer is full, so that no machine is too busy for it
 */
#include <alsa/asoundlib.h>
#include <alsa/pcm_external.h>
#include <alsa/pcm_ioplug.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

struct mic {
    snd_pcm_ioplug_t io;
    char folder[512];
    int16_t *clip;
    size_t clip_frames;
    unsigned int voice;
    int can_resume;
    int waits;
    double clock;        /* seconds, at the last look */
    double heard;        /* frames that came in since the start */
    uint64_t taken;      /* frames that were handed out since the start */
};

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec + time.tv_nsec / 1e9;
}

static int ordered(const struct mic *mic, const char *what)
{
    char path[600], order[16] = "";
    snprintf(path, sizeof path, "%s/order", mic->folder);
    FILE *file = fopen(path, "r");
    if (!file)
        return 0;
    int matches = fgets(order, sizeof order, file) && !strncmp(order, what, strlen(what));
    fclose(file);
    return matches;
}

static int plugged(const char *folder)
{
    char path[600];
    snprintf(path, sizeof path, "%s/plugged", folder);
    return access(path, F_OK) == 0;
}

static int start(snd_pcm_ioplug_t *io)
{
    struct mic *mic = io->private_data;
    mic->clock = now();
    return 0;
}

static int stop(snd_pcm_ioplug_t *io)
{
    (void)io;
    return 0;
}

static int prepare(snd_pcm_ioplug_t *io)
{
    struct mic *mic = io->private_data;
    mic->heard = 0;
    mic->taken = 0;
    return plugged(mic->folder) ? 0 : -ENODEV;
}

static snd_pcm_sframes_t pointer(snd_pcm_ioplug_t *io)
{
    struct mic *mic = io->private_data;
    double time = now();
    /* A negative answer would mean an overrun, whatever the state. */
    if (!plugged(mic->folder))
        snd_pcm_ioplug_set_state(io, SND_PCM_STATE_DISCONNECTED);
    else if (ordered(mic, "suspend"))
        snd_pcm_ioplug_set_state(io, SND_PCM_STATE_SUSPENDED);
    else if (!ordered(mic, "stall"))
        mic->heard += (time - mic->clock) * io->rate;
    mic->clock = time;
    /* One less than the buffer: the pointer of a full one looks like that of an empty one. */
    if (mic->waits && mic->heard - mic->taken > io->buffer_size - 1)
        mic->heard = mic->taken + io->buffer_size - 1;
    if (mic->heard - mic->taken > io->buffer_size)
        return -EPIPE;
    return (uint64_t)mic->heard % io->buffer_size;
}

static void put(snd_pcm_format_t format, uint8_t *to, int16_t sample)
{
    int32_t wide = (int32_t)sample * 65536;
    float real = sample / 32768.0f;
    switch (format) {
    case SND_PCM_FORMAT_S16_LE: memcpy(to, &sample, 2); break;
    case SND_PCM_FORMAT_S24_LE: wide >>= 8; memcpy(to, &wide, 4); break;
    case SND_PCM_FORMAT_S24_3LE: wide >>= 8; memcpy(to, &wide, 3); break;
    case SND_PCM_FORMAT_S32_LE: memcpy(to, &wide, 4); break;
    default: memcpy(to, &real, 4); break;
    }
}

static snd_pcm_sframes_t transfer(snd_pcm_ioplug_t *io, const snd_pcm_channel_area_t *areas,
                                  snd_pcm_uframes_t offset, snd_pcm_uframes_t size)
{
    struct mic *mic = io->private_data;
    for (unsigned int channel = 0; channel < io->channels; channel++) {
        uint8_t *base = (uint8_t *)areas[channel].addr + areas[channel].first / 8;
        for (snd_pcm_uframes_t frame = 0; frame < size; frame++) {
            int16_t sample = 0;
            if (channel == mic->voice)
                sample = mic->clip[(mic->taken + frame) % mic->clip_frames];
            put(io->format, base + (offset + frame) * (areas[channel].step / 8), sample);
        }
    }
    mic->taken += size;
    return size;
}

static int resume(snd_pcm_ioplug_t *io)
{
    struct mic *mic = io->private_data;
    if (!mic->can_resume)
        return -ENOSYS;
    if (ordered(mic, "suspend"))
        return -EAGAIN;
    mic->heard = mic->taken;
    mic->clock = now();
    snd_pcm_ioplug_set_state(io, SND_PCM_STATE_RUNNING);
    return 0;
}

static int revents(snd_pcm_ioplug_t *io, struct pollfd *fds, unsigned int count, unsigned short *events)
{
    uint64_t ticks;
    (void)count;
    if (fds[0].revents & POLLIN && read(io->poll_fd, &ticks, sizeof ticks) < 0)
        ticks = 0;
    snd_pcm_sframes_t avail = snd_pcm_avail_update(io->pcm);
    *events = avail < 0 ? POLLERR : avail > 0 ? POLLIN : 0;
    return 0;
}

static int close_mic(snd_pcm_ioplug_t *io)
{
    struct mic *mic = io->private_data;
    close(io->poll_fd);
    free(mic->clip);
    free(mic);
    return 0;
}

static const snd_pcm_ioplug_callback_t callbacks = {
    .start = start, .stop = stop, .prepare = prepare, .pointer = pointer, .transfer = transfer,
    .resume = resume, .poll_revents = revents, .close = close_mic,
};

static int load(struct mic *mic, const char *path)
{
    FILE *file = fopen(path, "rb");
    if (!file)
        return -ENOENT;
    fseek(file, 0, SEEK_END);
    mic->clip_frames = ftell(file) / 2;
    rewind(file);
    mic->clip = calloc(mic->clip_frames + 1, 2);
    size_t got = fread(mic->clip, 2, mic->clip_frames, file);
    fclose(file);
    return got == mic->clip_frames && got > 0 ? 0 : -EIO;
}

static int offer(snd_pcm_ioplug_t *io, snd_pcm_format_t format, unsigned int rate, unsigned int channels)
{
    unsigned int formats[] = { format }, rates[] = { rate }, counts[] = { channels };
    unsigned int access[] = { SND_PCM_ACCESS_RW_INTERLEAVED };
    int frame = snd_pcm_format_physical_width(format) / 8 * channels;
    int error = snd_pcm_ioplug_set_param_list(io, SND_PCM_IOPLUG_HW_ACCESS, 1, access);
    if (error >= 0) error = snd_pcm_ioplug_set_param_list(io, SND_PCM_IOPLUG_HW_FORMAT, 1, formats);
    if (error >= 0) error = snd_pcm_ioplug_set_param_list(io, SND_PCM_IOPLUG_HW_RATE, 1, rates);
    if (error >= 0) error = snd_pcm_ioplug_set_param_list(io, SND_PCM_IOPLUG_HW_CHANNELS, 1, counts);
    if (error >= 0) error = snd_pcm_ioplug_set_param_minmax(io, SND_PCM_IOPLUG_HW_PERIOD_BYTES, 64 * frame, rate * frame);
    if (error >= 0) error = snd_pcm_ioplug_set_param_minmax(io, SND_PCM_IOPLUG_HW_BUFFER_BYTES, 128 * frame, 4 * rate * frame);
    return error;
}

SND_PCM_PLUGIN_DEFINE_FUNC(undertone_fault)
{
    const char *folder = NULL, *clip = NULL, *format = "S16_LE";
    long rate = 16000, channels = 1, voice = 0, can_resume = 1, waits = 0;
    snd_config_iterator_t i, next;
    (void)root;
    snd_config_for_each(i, next, conf) {
        snd_config_t *entry = snd_config_iterator_entry(i);
        const char *id;
        if (snd_config_get_id(entry, &id) < 0)
            continue;
        if (!strcmp(id, "folder")) snd_config_get_string(entry, &folder);
        if (!strcmp(id, "clip")) snd_config_get_string(entry, &clip);
        if (!strcmp(id, "format")) snd_config_get_string(entry, &format);
        if (!strcmp(id, "rate")) snd_config_get_integer(entry, &rate);
        if (!strcmp(id, "channels")) snd_config_get_integer(entry, &channels);
        if (!strcmp(id, "voice")) snd_config_get_integer(entry, &voice);
        if (!strcmp(id, "resume")) snd_config_get_integer(entry, &can_resume);
        if (!strcmp(id, "waits")) snd_config_get_integer(entry, &waits);
    }
    if (!folder || !clip || stream != SND_PCM_STREAM_CAPTURE)
        return -EINVAL;
    if (!plugged(folder))
        return -ENODEV;
    struct mic *mic = calloc(1, sizeof *mic);
    if (!mic)
        return -ENOMEM;
    snprintf(mic->folder, sizeof mic->folder, "%s", folder);
    mic->voice = voice;
    mic->can_resume = can_resume;
    mic->waits = waits;
    int error = load(mic, clip);
    if (error < 0) {
        free(mic->clip);
        free(mic);
        return error;
    }
    struct itimerspec tick = { { 0, 10000000 }, { 0, 10000000 } };
    mic->io.version = SND_PCM_IOPLUG_VERSION;
    mic->io.name = "a microphone with faults";
    mic->io.callback = &callbacks;
    mic->io.private_data = mic;
    mic->io.poll_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    mic->io.poll_events = POLLIN;
    timerfd_settime(mic->io.poll_fd, 0, &tick, NULL);
    error = snd_pcm_ioplug_create(&mic->io, name, stream, mode);
    if (error < 0) {
        close(mic->io.poll_fd);
        free(mic->clip);
        free(mic);
        return error;
    }
    error = offer(&mic->io, snd_pcm_format_value(format), rate, channels);
    if (error < 0) {
        snd_pcm_ioplug_delete(&mic->io);
        return error;
    }
    *pcmp = mic->io.pcm;
    return 0;
}
SND_PCM_PLUGIN_SYMBOL(undertone_fault);

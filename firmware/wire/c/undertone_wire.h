/* The receiving side of Undertone's serial line in C99: bytes off the line to intact frames.
 *
 * README.md beside this folder describes every byte. No allocation, no library beyond the two headers below; about
 * 270 bytes for the decoder. Feed it byte by byte; after a byte for which ut_feed returns 1, the fields of the decoder hold an
 * intact frame until the next call:
 *
 *     static ut_decoder line;                       // all zeros is its beginning
 *     if (ut_feed(&line, byte) && line.kind == UT_HEARTBEAT) { ... line.payload, line.payload_length ... }
 *
 * Fields of a payload are read with a ut_reader; its `bad` is set when a payload ends too early.
 */
#ifndef UNDERTONE_WIRE_H
#define UNDERTONE_WIRE_H

#include <stddef.h>
#include <stdint.h>

enum { UT_HELLO = 1, UT_LABEL, UT_EVENT, UT_HEARTBEAT, UT_HEALTH, UT_DROPPED };
enum { UT_VERSION = 1, UT_MAX_BODY = 250, UT_HEADER = 6, UT_CRC = 4 };

typedef struct {
    /* The intact frame. */
    uint8_t version, kind;
    uint32_t sequence;
    const uint8_t *payload;
    size_t payload_length;
    /* What became of the frames so far. */
    uint32_t frames, damaged, overruns, lost;
    /* The decoder's own: state 0 is Sync, 1 InFrame, 2 Overrun. */
    uint8_t state, run, code, zero_due;
    uint8_t body[UT_MAX_BODY];
    size_t length;
    uint32_t expected;
    uint8_t seen;
} ut_decoder;

static uint32_t ut_crc32(const uint8_t *bytes, size_t count) {
    uint32_t crc = 0xFFFFFFFFu;
    while (count--) {
        crc ^= *bytes++;
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? 0xEDB88320u : 0);
    }
    return ~crc;
}

static uint32_t ut_u32(const uint8_t *b) {
    return b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
}

static void ut_put(ut_decoder *d, uint8_t byte) {
    if (d->length < UT_MAX_BODY) {
        d->body[d->length++] = byte;
    } else {
        d->state = 2;
        d->overruns++;
    }
}

/* Takes the next byte; 1 when it ended an intact frame, of whatever version and kind. */
static int ut_feed(ut_decoder *d, uint8_t byte) {
    if (byte != 0) {
        if (d->state != 1)
            return 0;
        if (d->run == 0) { /* A code byte: so many minus one follow, then a zero unless the code was 255. */
            if (d->zero_due)
                ut_put(d, 0);
            d->code = byte;
            d->run = byte - 1;
        } else {
            ut_put(d, byte);
            d->run--;
        }
        d->zero_due = d->run == 0 && d->code != 255;
        return 0;
    }
    int was = d->state, empty = d->code == 0, complete = d->run == 0;
    size_t length = d->length;
    d->state = 1;
    d->run = d->code = d->zero_due = 0;
    d->length = 0;
    if (was != 1 || empty)
        return 0;
    if (!complete || length < UT_HEADER + UT_CRC
        || ut_crc32(d->body, length - UT_CRC) != ut_u32(d->body + length - UT_CRC)) {
        d->damaged++;
        return 0;
    }
    d->version = d->body[0];
    d->kind = d->body[1];
    d->sequence = ut_u32(d->body + 2);
    d->payload = d->body + UT_HEADER;
    d->payload_length = length - UT_HEADER - UT_CRC;
    d->frames++;
    if (d->seen && d->sequence - d->expected < 0x80000000u)
        d->lost += d->sequence - d->expected;
    d->seen = 1;
    d->expected = d->sequence + 1;
    return 1;
}

/* Reads the fields of a payload, in the order of the README. */
typedef struct {
    const uint8_t *at, *end;
    int bad;
} ut_reader;

static inline ut_reader ut_payload(const ut_decoder *d) {
    ut_reader reader = { d->payload, d->payload + d->payload_length, 0 };
    return reader;
}

/* u8, bool, and one byte of [u8; N]. */
static inline uint8_t ut_byte(ut_reader *r) {
    if (r->at == r->end) {
        r->bad = 1;
        return 0;
    }
    return *r->at++;
}

/* u16, u32, u64, enum, the count of a seq or str, and the 0 or 1 of an option. */
static inline uint64_t ut_varint(ut_reader *r) {
    uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
        uint8_t byte = ut_byte(r);
        value |= (uint64_t)(byte & 127) << shift;
        if (!(byte & 128))
            return value;
    }
    r->bad = 1;
    return 0;
}

/* i16 */
static inline int32_t ut_zigzag(ut_reader *r) {
    uint64_t value = ut_varint(r);
    return (int32_t)(value >> 1) ^ -(int32_t)(value & 1);
}

#endif

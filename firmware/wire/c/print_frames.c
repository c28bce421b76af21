/* Prints the intact frames of what it reads, one per line, and at the end what became of the others.
 *
 *     cc -std=c99 -o print_frames print_frames.c && stty -F /dev/ttyUSB0 raw 115200 && ./print_frames < /dev/ttyUSB0
 */
#include <stdio.h>

#include "undertone_wire.h"

static void event(ut_reader r) {
    static const char *const phases[] = { "start", "update", "end" };
    uint64_t phase = ut_varint(&r), id = ut_varint(&r);
    unsigned channel = ut_byte(&r);
    int label = ut_varint(&r) ? ut_byte(&r) : -1;
    unsigned confidence = (unsigned)ut_varint(&r);
    uint64_t scores = ut_varint(&r);
    for (uint64_t i = 0; i < scores && !r.bad; i++)
        ut_varint(&r);
    uint64_t seq = ut_varint(&r), ms = ut_varint(&r);
    printf(" %s id=%llu channel=%u label=%d confidence=%u scores=%llu seq=%llu ms=%llu%s",
           phase < 3 ? phases[phase] : "?", (unsigned long long)id, channel, label, confidence,
           (unsigned long long)scores, (unsigned long long)seq, (unsigned long long)ms, r.bad ? " bad" : "");
}

int main(void) {
    static ut_decoder line;
    int byte;
    while ((byte = getchar()) != EOF) {
        if (!ut_feed(&line, (uint8_t)byte))
            continue;
        printf("%u %u %lu %lu", line.version, line.kind, (unsigned long)line.sequence, (unsigned long)line.payload_length);
        if (line.version == UT_VERSION && line.kind == UT_EVENT)
            event(ut_payload(&line));
        putchar('\n');
        fflush(stdout);
    }
    printf("frames=%lu damaged=%lu overruns=%lu lost=%lu\n", (unsigned long)line.frames,
           (unsigned long)line.damaged, (unsigned long)line.overruns, (unsigned long)line.lost);
    return 0;
}

// SPDX-License-Identifier: MIT
//
// What a guest's disk and network cost. `xt bench` runs `devices serve` in Domain-0 and `devices use ADDRESS DISK` in a guest, on
// our hypervisor and on Debian's Xen. The clock is the time-stamp counter; under QEMU's -icount a tick is an instruction
// of whoever ran, guest, Domain-0 or hypervisor, and a thousand million of them are a second.
//
// Each row is the best of many rounds. Prints "BENCH figure name": instructions, or MB/s where the name says so.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <x86intrin.h>

enum {
    port = 7010, small = 4096, large = 1 << 20, disk_rounds = 300, stream_rounds = 24, warm_rounds = 4,
    packet_rounds = 300, packet_bytes = 64, burst = 32, burst_bytes = 1400, patience_seconds = 20,
};

// What a packet or a stream asks for, by its first byte.
enum { ask_echo = 'e', ask_count = 'c', ask_total = 't', ask_take = 'k', ask_give = 'g', ask_end = 'z' };

static char *buffer;

static void must(int condition, const char *what)
{
    if (!condition) {
        perror(what);
        exit(1);
    }
}

static void read_all(int file, char *bytes, size_t count)
{
    while (count > 0) {
        ssize_t got = read(file, bytes, count);
        must(got > 0, "read");
        bytes += got;
        count -= got;
    }
}

static void write_all(int file, const char *bytes, size_t count)
{
    while (count > 0) {
        ssize_t put = write(file, bytes, count);
        must(put > 0, "write");
        bytes += put;
        count -= put;
    }
}

static void report(const char *name, uint64_t ticks) { printf("BENCH %llu %s\n", (unsigned long long)ticks, name); }

// Bytes in a thousandth of a second are as many thousands in a second.
static void report_speed(const char *name, uint64_t bytes, uint64_t ticks)
{
    printf("BENCH %.1f %s, MB/s\n", (double)bytes * 1000 / (double)ticks, name);
}

static uint64_t least_of(int rounds, void (*operation)(int), int argument)
{
    uint64_t least = UINT64_MAX;
    for (int round = 0; round < rounds; round++) {
        uint64_t begin = __rdtsc();
        operation(argument);
        uint64_t ticks = __rdtsc() - begin;
        if (round >= warm_rounds && ticks < least)
            least = ticks;
    }
    return least;
}

static int disk, packets, stream;
static off_t place;

static off_t next_place(int bytes)
{
    off_t here = place;
    place = (place + bytes) % (16 * large);
    return here;
}

static void do_read(int bytes) { must(pread(disk, buffer, bytes, next_place(bytes)) == bytes, "reading the disk"); }

static void do_write(int bytes) { must(pwrite(disk, buffer, bytes, next_place(bytes)) == bytes, "writing the disk"); }

static void do_flush(int bytes)
{
    do_write(bytes);
    must(fdatasync(disk) == 0, "fdatasync");
}

static void do_echo(int bytes)
{
    buffer[0] = ask_echo;
    must(send(packets, buffer, bytes, 0) == bytes, "send");
    must(recv(packets, buffer, large, 0) == bytes, "the echo");
}

static void do_burst(int bytes)
{
    buffer[0] = ask_count;
    for (int i = 0; i < burst; i++)
        must(send(packets, buffer, bytes, 0) == bytes, "send");
    buffer[0] = ask_total;
    must(send(packets, buffer, packet_bytes, 0) == packet_bytes, "send");
    must(recv(packets, buffer, large, 0) == 1 && buffer[0] == burst, "packets were lost");
}

static void do_give(int bytes)
{
    char ask = ask_take;
    write_all(stream, &ask, 1);
    write_all(stream, buffer, bytes);
    read_all(stream, &ask, 1);
}

static void do_take(int bytes)
{
    char ask = ask_give;
    write_all(stream, &ask, 1);
    read_all(stream, buffer, bytes);
}

static void use_disk(const char *path)
{
    disk = open(path, O_RDWR | O_DIRECT);
    must(disk >= 0, path);
    report("disk: read 4 KiB, one request", least_of(disk_rounds, do_read, small));
    report("disk: write 4 KiB, one request", least_of(disk_rounds, do_write, small));
    report("disk: write 4 KiB and flush", least_of(disk_rounds, do_flush, small));
    report_speed("disk: read", large, least_of(stream_rounds, do_read, large));
    report_speed("disk: write", large, least_of(stream_rounds, do_write, large));
}

static int connected(const char *address, int kind)
{
    struct sockaddr_in peer = { .sin_family = AF_INET, .sin_port = htons(port) };
    must(inet_pton(AF_INET, address, &peer.sin_addr) == 1, address);
    int attempts = 0, file;
    for (;;) {
        file = socket(AF_INET, kind, 0);
        must(file >= 0, "socket");
        if (connect(file, (struct sockaddr *)&peer, sizeof peer) == 0)
            break;
        must(++attempts < 100, "connect");
        close(file);
        usleep(100000);
    }
    struct timeval patience = { .tv_sec = patience_seconds };
    must(setsockopt(file, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) == 0, "SO_RCVTIMEO");
    return file;
}

static void use_network(const char *address)
{
    packets = connected(address, SOCK_DGRAM);
    stream = connected(address, SOCK_STREAM);
    int yes = 1;
    must(setsockopt(stream, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes) == 0, "TCP_NODELAY");
    report("network: 64 bytes to Domain-0 and back, two packets", least_of(packet_rounds, do_echo, packet_bytes));
    report("network: a packet of 1400 bytes to Domain-0, of 32",
        least_of(packet_rounds / 4, do_burst, burst_bytes) / burst);
    report_speed("network: TCP to Domain-0", large, least_of(stream_rounds, do_give, large));
    report_speed("network: TCP from Domain-0", large, least_of(stream_rounds, do_take, large));
    char ask = ask_end;
    write_all(stream, &ask, 1);
}

static void serve_packets(int file)
{
    char counted = 0;
    for (;;) {
        struct sockaddr_in peer;
        socklen_t length = sizeof peer;
        ssize_t got = recvfrom(file, buffer, large, 0, (struct sockaddr *)&peer, &length);
        must(got > 0, "recvfrom");
        if (buffer[0] == ask_echo) {
            must(sendto(file, buffer, got, 0, (struct sockaddr *)&peer, length) == got, "sendto");
        } else if (buffer[0] == ask_count) {
            counted++;
        } else {
            must(sendto(file, &counted, 1, 0, (struct sockaddr *)&peer, length) == 1, "sendto");
            counted = 0;
        }
    }
}

static void serve_stream(int file)
{
    int yes = 1;
    must(setsockopt(file, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes) == 0, "TCP_NODELAY");
    for (;;) {
        char ask;
        read_all(file, &ask, 1);
        if (ask == ask_end)
            return;
        if (ask == ask_take) {
            read_all(file, buffer, large);
            write_all(file, &ask, 1);
        } else {
            write_all(file, buffer, large);
        }
    }
}

static void serve(void)
{
    struct sockaddr_in here = { .sin_family = AF_INET, .sin_port = htons(port) };
    int datagrams = socket(AF_INET, SOCK_DGRAM, 0), listener = socket(AF_INET, SOCK_STREAM, 0);
    must(bind(datagrams, (struct sockaddr *)&here, sizeof here) == 0, "bind");
    must(bind(listener, (struct sockaddr *)&here, sizeof here) == 0 && listen(listener, 1) == 0, "bind and listen");
    pid_t echoing = fork();
    must(echoing >= 0, "fork");
    if (echoing == 0)
        serve_packets(datagrams);
    int file = accept(listener, 0, 0);
    must(file >= 0, "accept");
    serve_stream(file);
    kill(echoing, SIGKILL);
    waitpid(echoing, 0, 0);
}

int main(int count, char **arguments)
{
    must(posix_memalign((void **)&buffer, small, large) == 0, "memory");
    memset(buffer, 1, large);
    if (count == 2 && strcmp(arguments[1], "serve") == 0) {
        serve();
        return 0;
    }
    must(count == 4 && strcmp(arguments[1], "use") == 0, "devices serve | devices use ADDRESS DISK");
    setvbuf(stdout, 0, _IOLBF, 0);
    use_disk(arguments[3]);
    use_network(arguments[2]);
    return 0;
}

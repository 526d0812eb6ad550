// SPDX-License-Identifier: MIT
//
// What everyday operations of Linux cost, in ticks of the time-stamp counter. `xt bench` runs this in Domain-0 and in
// a guest, on our hypervisor, on Debian's Xen and on the bare machine. Under QEMU's -icount a tick is an instruction.
//
// Each row is the least of many rounds: interrupts only ever add. Prints "BENCH ticks name".
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>
#include <x86intrin.h>

enum { page_size = 4096, mapped_pages = 64, fault_pages = 256 };

static int bytes_in[2], ping[2], pong[2];
static char *area;
static volatile sig_atomic_t signals;
static const char *self;

static void must(int condition, const char *what)
{
    if (!condition) {
        perror(what);
        exit(1);
    }
}

static void count_signal(int number)
{
    (void)number;
    signals++;
}

// Makes the page that faulted writable, so that the store which brought us here succeeds.
static void repair(int number, siginfo_t *info, void *context)
{
    (void)number;
    (void)context;
    uintptr_t page = (uintptr_t)info->si_addr & ~(uintptr_t)(page_size - 1);
    mprotect((void *)page, page_size, PROT_READ | PROT_WRITE);
    signals++;
}

static void *nothing(void *argument) { return argument; }

static void do_getpid(void) { syscall(SYS_getpid); }

static void do_read(void)
{
    char byte;
    must(read(bytes_in[0], &byte, 1) == 1, "read");
}

static void do_yield(void) { sched_yield(); }

static void do_ping_pong(void)
{
    char byte = 0;
    must(write(ping[1], &byte, 1) == 1 && read(pong[0], &byte, 1) == 1, "ping-pong");
}

static void do_signal(void) { raise(SIGUSR1); }

static void do_int3(void) { __asm__ volatile("int3"); }

static void do_segv(void)
{
    // The handler undoes this; the system call is part of the row, as it is of every program that plays such tricks.
    mprotect(area, page_size, PROT_READ);
    *(volatile char *)area = 1;
}

static void do_mprotect(void)
{
    mprotect(area, page_size, PROT_READ);
    mprotect(area, page_size, PROT_READ | PROT_WRITE);
    *(volatile char *)area = 1;
}

static void do_mmap(void)
{
    char *fresh = mmap(0, mapped_pages * page_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    must(fresh != MAP_FAILED, "mmap");
    for (int i = 0; i < mapped_pages; i++)
        *(volatile char *)(fresh + i * page_size) = 1;
    munmap(fresh, mapped_pages * page_size);
}

static void do_thread(void)
{
    pthread_t thread;
    must(pthread_create(&thread, 0, nothing, 0) == 0, "pthread_create");
    pthread_join(thread, 0);
}

static void do_fork(void)
{
    pid_t child = fork();
    if (child == 0)
        _exit(0);
    must(child > 0 && waitpid(child, 0, 0) == child, "fork");
}

static void do_exec(void)
{
    pid_t child = fork();
    if (child == 0) {
        execl(self, self, "nothing", (char *)0);
        _exit(1);
    }
    must(child > 0 && waitpid(child, 0, 0) == child, "exec");
}

static void measure(const char *name, void (*operation)(void), int rounds)
{
    uint64_t least = UINT64_MAX;
    for (int i = 0; i < rounds; i++) {
        uint64_t begin = __rdtsc();
        operation();
        uint64_t ticks = __rdtsc() - begin;
        if (ticks < least)
            least = ticks;
    }
    printf("BENCH %llu %s\n", (unsigned long long)least, name);
    fflush(stdout);
}

static void measure_faults(void)
{
    char *fresh = mmap(0, fault_pages * page_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    must(fresh != MAP_FAILED, "mmap");
    madvise(fresh, fault_pages * page_size, MADV_NOHUGEPAGE);
    uint64_t least = UINT64_MAX;
    for (int i = 0; i < fault_pages; i++) {
        uint64_t begin = __rdtsc();
        *(volatile char *)(fresh + i * page_size) = 1;
        uint64_t ticks = __rdtsc() - begin;
        if (ticks < least)
            least = ticks;
    }
    printf("BENCH %llu minor page fault\n", (unsigned long long)least);
    munmap(fresh, fault_pages * page_size);
}

static void start_echo(void)
{
    must(pipe(ping) == 0 && pipe(pong) == 0, "pipe");
    pid_t child = fork();
    must(child >= 0, "fork");
    if (child == 0) {
        char byte;
        close(ping[1]);
        while (read(ping[0], &byte, 1) == 1)
            must(write(pong[1], &byte, 1) == 1, "echo");
        _exit(0);
    }
}

int main(int count, char **arguments)
{
    if (count > 1 && strcmp(arguments[1], "nothing") == 0)
        return 0;

    self = "/proc/self/exe";
    must(pipe(bytes_in) == 0, "pipe");
    char filler[page_size] = { 0 };
    must(write(bytes_in[1], filler, sizeof filler) == sizeof filler, "write");
    area = mmap(0, page_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    must(area != MAP_FAILED, "mmap");
    *area = 1;
    signal(SIGUSR1, count_signal);
    signal(SIGTRAP, count_signal);
    struct sigaction repairing = { .sa_sigaction = repair, .sa_flags = SA_SIGINFO };
    sigaction(SIGSEGV, &repairing, 0);

    measure("getpid", do_getpid, 2000);
    measure("read, 1 byte", do_read, 2000);
    measure("sched_yield", do_yield, 2000);
    start_echo();
    measure("pipe ping-pong, two processes", do_ping_pong, 300);
    close(ping[1]);
    measure("signal delivery and return", do_signal, 500);
    measure("int3 to SIGTRAP and back", do_int3, 500);
    measure("mprotect, SEGV to handler, mprotect and back", do_segv, 500);
    measure_faults();
    measure("mprotect twice + touch", do_mprotect, 500);
    measure("mmap 64 pages + touch + munmap", do_mmap, 30);
    measure("pthread create + join", do_thread, 50);
    measure("fork + exit + wait", do_fork, 30);
    measure("fork + exec + wait", do_exec, 20);
    return 0;
}

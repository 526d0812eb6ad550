// SPDX-License-Identifier: MIT
//
// Is a program's state its own? Workers fill every register that user mode has with values of their own, spin without a
// system call, and look whether the values are still there. Meanwhile the kernel, the hypervisor and whoever tests them
// interrupt, switch and move them as they like. Other pairs of processes count the hits of hardware watchpoints.
//
//     check SECONDS WORKERS [SABOTAGE]
//
// Prints "STATE OK rounds=N hits=N moves=N" and ends with 0, or a line "STATE MISMATCH …" for each difference and ends
// with 1. SABOTAGE names a kind of state (the word behind MISMATCH) of which one bit is expected wrongly once: a check
// that does not find that cannot find anything.
#define _GNU_SOURCE
#include <asm/ldt.h>
#include <asm/prctl.h>
#include <cpuid.h>
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    general_registers = 15, // all but rsp; rcx counts the turns of the loop
    vector_area = 4096,
    longest_spin = 400000,
    x87_bytes = 10,
    fx_control = 0, fx_mxcsr = 24, fx_stack = 32, fx_vectors = 160, fx_end = 416,
    header = 512,
    user_data = 0x2b,
    first_ldt = 7,
    spoilt_round = 2,
};

// Flags that user mode may set, and that the loop leaves alone: CF PF AF ZF SF DF OF NT AC ID.
#define FLAGS 0x244cd5ul
#define ALWAYS 0x202ul

struct state {
    uint64_t general[general_registers];
    uint64_t flags;
    uint64_t bases[2];     // what is found at FS:0 and GS:0
    uint64_t selectors[4]; // DS, ES, FS, GS
    uint64_t mask;         // of the extended state
    uint64_t reserved[8];
    unsigned char vectors[vector_area] __attribute__((aligned(64)));
} __attribute__((aligned(64)));

_Static_assert(offsetof(struct state, flags) == 120, "the assembly below counts on it");
_Static_assert(offsetof(struct state, bases) == 128, "the assembly below counts on it");
_Static_assert(offsetof(struct state, selectors) == 144, "the assembly below counts on it");
_Static_assert(offsetof(struct state, mask) == 176, "the assembly below counts on it");
_Static_assert(offsetof(struct state, vectors) == 256, "the assembly below counts on it");

// Loads the state, spins, and stores what is there then. FS and GS have their bases already.
void spin(const struct state *load, struct state *store, uint64_t turns);
__asm__(
    ".text\n"
    "spin:\n"
    "    push %rbx; push %rbp; push %r12; push %r13; push %r14; push %r15\n"
    "    push %rsi\n" // aligned for the AC flag: all that is touched below are eight bytes
    "    mov %rdx, %rcx\n"
    "    mov 176(%rdi), %eax; mov 180(%rdi), %edx\n"
    "    xrstor64 256(%rdi)\n"
    "    mov 0(%rdi), %rax; mov 8(%rdi), %rbx; mov 16(%rdi), %rdx; mov 24(%rdi), %rsi; mov 40(%rdi), %rbp\n"
    "    mov 48(%rdi), %r8; mov 56(%rdi), %r9; mov 64(%rdi), %r10; mov 72(%rdi), %r11; mov 80(%rdi), %r12\n"
    "    mov 88(%rdi), %r13; mov 96(%rdi), %r14; mov 104(%rdi), %r15\n"
    "    pushq 120(%rdi)\n"
    "    mov 32(%rdi), %rdi\n"
    "    popfq\n"
    "1:  loop 1b\n" // LOOP changes no flag
    "    pushfq\n"
    "    push %rax\n"
    "    mov 16(%rsp), %rax\n"
    "    mov %rbx, 8(%rax); mov %rdx, 16(%rax); mov %rsi, 24(%rax); mov %rdi, 32(%rax); mov %rbp, 40(%rax)\n"
    "    mov %r8, 48(%rax); mov %r9, 56(%rax); mov %r10, 64(%rax); mov %r11, 72(%rax); mov %r12, 80(%rax)\n"
    "    mov %r13, 88(%rax); mov %r14, 96(%rax); mov %r15, 104(%rax); mov %rcx, 112(%rax)\n"
    "    pop %rbx; mov %rbx, 0(%rax)\n"
    "    pop %rbx; mov %rbx, 120(%rax)\n"
    "    pushq $0x202; popfq\n"
    "    mov %fs:0, %rbx; mov %rbx, 128(%rax)\n"
    "    mov %gs:0, %rbx; mov %rbx, 136(%rax)\n"
    "    mov %ds, %rbx; mov %rbx, 144(%rax); mov %es, %rbx; mov %rbx, 152(%rax)\n"
    "    mov %fs, %rbx; mov %rbx, 160(%rax); mov %gs, %rbx; mov %rbx, 168(%rax)\n"
    "    mov %rax, %rdi\n"
    "    mov 176(%rdi), %eax; mov 180(%rdi), %edx\n"
    "    xsave64 256(%rdi)\n"
    "    pop %rsi\n"
    "    pop %r15; pop %r14; pop %r13; pop %r12; pop %rbp; pop %rbx\n"
    "    ret\n");

// The C library keeps its own things at FS: between the two calls that move FS it must not be used.
static inline long raw(long number, long a, long b, long c)
{
    long result;
    __asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(a), "S"(b), "d"(c) : "rcx", "r11", "memory");
    return result;
}

static const char *sabotage;
static uint64_t random_state;

static uint64_t next_random(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state;
}

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

// However slow the machine is, the round that is spoilt is reached.
static int goes_on(uint64_t round, double end)
{
    return now() < end || (sabotage != NULL && round <= spoilt_round);
}

struct totals {
    uint64_t rounds, hits, moves, mismatches;
};

static struct totals *totals;
static unsigned upper_offset; // of the upper halves of the YMM registers; 0 without AVX
static uint64_t mask;
static int worker;

static void mismatch(const char *kind, const char *what, unsigned index, uint64_t expected, uint64_t found)
{
    __atomic_add_fetch(&totals->mismatches, 1, __ATOMIC_RELAXED);
    printf("STATE MISMATCH %s: worker %d, %s %u: expected %016lx, found %016lx\n", kind, worker, what, index, expected, found);
    fflush(stdout);
}

static void compare(const char *kind, const char *what, const void *expected, const void *found, size_t size)
{
    for (unsigned i = 0; i < size; i += 8) {
        uint64_t a = 0, b = 0;
        size_t part = size - i < 8 ? size - i : 8;
        memcpy(&a, (const char *)expected + i, part);
        memcpy(&b, (const char *)found + i, part);
        if (a != b) {
            mismatch(kind, what, i / 8, a, b);
        }
    }
}

static void fill(struct state *state)
{
    for (int i = 0; i < general_registers; i++) {
        state->general[i] = next_random();
    }
    state->flags = (next_random() & FLAGS) | ALWAYS;
    state->mask = mask;
    memset(state->vectors, 0, vector_area);
    for (int i = fx_vectors; i < fx_end; i += 8) {
        uint64_t value = next_random();
        memcpy(state->vectors + i, &value, 8);
    }
    for (int i = 0; i < 8; i++) {
        // Eight numbers of the 80-bit form, with the bit set that normal ones have.
        uint64_t mantissa = next_random() | 1ul << 63;
        uint16_t exponent = (uint16_t)(next_random() % 0x7ffe + 1);
        memcpy(state->vectors + fx_stack + i * 16, &mantissa, 8);
        memcpy(state->vectors + fx_stack + i * 16 + 8, &exponent, 2);
    }
    // All exceptions masked; precision and rounding are the round's.
    uint16_t control = (uint16_t)(0x037f ^ (next_random() & 0x0c00));
    uint32_t mxcsr = 0x1f80 | (uint32_t)(next_random() & 0x603f);
    memcpy(state->vectors + fx_control, &control, 2);
    state->vectors[4] = 0xff; // no x87 register is empty
    memcpy(state->vectors + fx_mxcsr, &mxcsr, 4);
    uint64_t present = mask;
    memcpy(state->vectors + header, &present, 8);
    for (unsigned i = 0; upper_offset != 0 && i < 256; i += 8) {
        uint64_t value = next_random();
        memcpy(state->vectors + upper_offset + i, &value, 8);
    }
}

static void check(const struct state *expected, const struct state *found)
{
    compare("general", "register", expected->general, found->general, sizeof expected->general);
    if (expected->flags != found->flags) {
        mismatch("flags", "rflags", 0, expected->flags, found->flags);
    }
    compare("base", "of FS or GS, the word there,", expected->bases, found->bases, sizeof expected->bases);
    compare("selector", "DS ES FS GS", expected->selectors, found->selectors, sizeof expected->selectors);
    compare("x87", "control word", expected->vectors + fx_control, found->vectors + fx_control, 2);
    for (int i = 0; i < 8; i++) {
        compare("x87", "register, half", expected->vectors + fx_stack + i * 16, found->vectors + fx_stack + i * 16, x87_bytes);
    }
    compare("mxcsr", "register", expected->vectors + fx_mxcsr, found->vectors + fx_mxcsr, 4);
    compare("xmm", "half register", expected->vectors + fx_vectors, found->vectors + fx_vectors, fx_end - fx_vectors);
    if (upper_offset != 0) {
        compare("ymm", "upper half register", expected->vectors + upper_offset, found->vectors + upper_offset, 256);
    }
}

// Changes what is expected, where it is asked for.
static void spoil(struct state *expected)
{
    static const struct {
        const char *kind;
        size_t offset;
    } places[] = {
        {"general", offsetof(struct state, general) + 5 * 8},
        {"flags", offsetof(struct state, flags) + 1},
        {"base", offsetof(struct state, bases) + 8},
        {"selector", offsetof(struct state, selectors) + 8},
        {"x87", offsetof(struct state, vectors) + fx_stack + 3 * 16},
        {"mxcsr", offsetof(struct state, vectors) + fx_mxcsr},
        {"xmm", offsetof(struct state, vectors) + fx_vectors + 15 * 16},
    };
    for (unsigned i = 0; i < sizeof places / sizeof *places; i++) {
        if (strcmp(sabotage, places[i].kind) == 0) {
            ((unsigned char *)expected)[places[i].offset] ^= 4;
        }
    }
    if (strcmp(sabotage, "ymm") == 0 && upper_offset != 0) {
        expected->vectors[upper_offset + 7 * 16] ^= 4;
    }
}

static void spin_until(double end)
{
    static struct state load, expected, store;
    uint64_t *fs_page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    uint64_t *gs_page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
    uint64_t own_fs;
    raw(SYS_arch_prctl, ARCH_GET_FS, (long)&own_fs, 0);

    // Every third worker has its GS in a descriptor table of its own.
    int has_ldt = worker % 3 == 2;
    if (has_ldt) {
        struct user_desc segment = {
            .base_addr = (unsigned)(uintptr_t)gs_page, .limit = 0xfffff, .seg_32bit = 1, .limit_in_pages = 1, .useable = 1,
        };
        has_ldt = raw(SYS_modify_ldt, 1, (long)&segment, sizeof segment) == 0;
    }

    int cpu = sched_getcpu();
    for (uint64_t round = 0; goes_on(round, end); round++) {
        fill(&load);
        load.bases[0] = *fs_page = next_random();
        load.bases[1] = *gs_page = next_random();
        load.selectors[0] = round & 1 ? user_data : 0;
        load.selectors[1] = round & 2 ? user_data : 0;
        load.selectors[2] = 0;
        load.selectors[3] = has_ldt ? first_ldt : 0;
        load.general[14] = 0; // rcx, when the loop is done
        expected = load;
        store = load;
        if (sabotage != NULL && worker == 0 && round == spoilt_round) {
            spoil(&expected);
        }
        uint64_t turns = 1 + next_random() % longest_spin;

        __asm__ volatile("mov %0, %%ds; mov %1, %%es" : : "r"((int)load.selectors[0]), "r"((int)load.selectors[1]));
        if (has_ldt) {
            __asm__ volatile("mov %0, %%gs" : : "r"(first_ldt));
        } else {
            raw(SYS_arch_prctl, ARCH_SET_GS, (long)gs_page, 0);
        }
        raw(SYS_arch_prctl, ARCH_SET_FS, (long)fs_page, 0);
        spin(&load, &store, turns);
        raw(SYS_arch_prctl, ARCH_SET_FS, (long)own_fs, 0);

        check(&expected, &store);
        __atomic_add_fetch(&totals->rounds, 1, __ATOMIC_RELAXED);
        if (cpu != sched_getcpu()) {
            cpu = sched_getcpu();
            __atomic_add_fetch(&totals->moves, 1, __ATOMIC_RELAXED);
        }
    }
}

static volatile uint64_t watched[4] __attribute__((aligned(64)));

// Writes to the words in turn, with pauses of all lengths; each write is announced only afterwards.
static void write_watched(void)
{
    if (ptrace(PTRACE_TRACEME, 0, 0, 0) != 0) {
        _exit(2);
    }
    raise(SIGSTOP);
    for (unsigned turn = 0;; turn++) {
        for (volatile uint64_t i = next_random() % (longest_spin / 8); i != 0; i--) {
        }
        watched[turn & 3] = turn;
        raise(SIGUSR1);
    }
}

static long debug_register(pid_t child, int number)
{
    errno = 0;
    long value = ptrace(PTRACE_PEEKUSER, child, offsetof(struct user, u_debugreg) + (size_t)number * 8, 0);
    if (errno != 0) {
        mismatch("debug", "error of ptrace", (unsigned)number, 0, (uint64_t)errno);
    }
    return value;
}

static void set_debug_register(pid_t child, int number, unsigned long value)
{
    if (ptrace(PTRACE_POKEUSER, child, offsetof(struct user, u_debugreg) + (size_t)number * 8, value) != 0) {
        mismatch("debug", "refused register", (unsigned)number, value, (uint64_t)errno);
    }
}

static void watch_until(double end)
{
    pid_t child = fork();
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        write_watched();
    }
    int status;
    waitpid(child, &status, 0);
    for (int i = 0; i < 4; i++) {
        set_debug_register(child, i, (unsigned long)&watched[i]);
    }
    set_debug_register(child, 7, 0x99990055); // four words of eight bytes, on writing
    ptrace(PTRACE_CONT, child, 0, 0);
    for (unsigned turn = 0; goes_on(turn, end); turn++) {
        unsigned expected = 1u << (turn & 3);
        if (sabotage != NULL && strcmp(sabotage, "debug") == 0 && worker == 0 && turn == spoilt_round) {
            expected <<= 1;
        }
        waitpid(child, &status, 0);
        if (!WIFSTOPPED(status) || WSTOPSIG(status) != SIGTRAP) {
            mismatch("debug", "missed hit, turn", turn, SIGTRAP, (uint64_t)status);
            break;
        }
        unsigned hit = (unsigned)debug_register(child, 6) & 15;
        if (hit != expected) {
            mismatch("debug", "hit of another register, turn", turn, expected, hit);
        }
        set_debug_register(child, 6, 0);
        ptrace(PTRACE_CONT, child, 0, 0);
        waitpid(child, &status, 0);
        if (!WIFSTOPPED(status) || WSTOPSIG(status) != SIGUSR1) {
            mismatch("debug", "hit that was none, turn", turn, SIGUSR1, (uint64_t)status);
            break;
        }
        ptrace(PTRACE_CONT, child, 0, 0);
        __atomic_add_fetch(&totals->hits, 1, __ATOMIC_RELAXED);
    }
    kill(child, SIGKILL);
    waitpid(child, &status, 0);
}

int main(int count, char **arguments)
{
    if (count < 3) {
        fprintf(stderr, "Usage: check SECONDS WORKERS [SABOTAGE]\n");
        return 2;
    }
    double end = now() + atof(arguments[1]);
    int workers = atoi(arguments[2]);
    sabotage = count > 3 ? arguments[3] : NULL;
    totals = mmap(NULL, sizeof *totals, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    unsigned a, b, c, d, low, high;
    __cpuid(1, a, b, c, d);
    if ((c & bit_OSXSAVE) == 0) {
        printf("STATE SKIP: this processor has no XSAVE\n");
        return 2;
    }
    __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    mask = low & 7;
    if (mask == 7) {
        __cpuid_count(13, 2, a, b, c, d);
        upper_offset = b;
    }

    // Watchers have processes of their own: every second worker is accompanied by one.
    for (worker = 0; worker < workers; worker++) {
        for (int watches = 0; watches <= (worker & 1 ? 0 : 1); watches++) {
            if (fork() == 0) {
                // Whoever disturbs the workers has to come to it.
                (void)!nice(10);
                random_state = 0x9e3779b97f4a7c15ul * (uint64_t)(getpid() + 1) | 1;
                if (watches) {
                    watch_until(end);
                } else {
                    spin_until(end);
                }
                _exit(0);
            }
        }
    }
    int status;
    worker = -1;
    while (wait(&status) > 0) {
        if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
            mismatch("end", "of a worker", 0, 0, (uint64_t)status);
        }
    }
    if (totals->mismatches != 0) {
        return 1;
    }
    printf("STATE OK rounds=%lu hits=%lu moves=%lu vectors=%s\n", totals->rounds, totals->hits, totals->moves,
        upper_offset != 0 ? "ymm" : "xmm");
    return 0;
}

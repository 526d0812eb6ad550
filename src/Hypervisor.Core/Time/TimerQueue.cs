// SPDX-License-Identifier: MIT
// Timers of one CPU: a leftist heap through the timers themselves. It needs no memory of its own, so setting a
// timer cannot fail, and every operation, removal from the middle included, takes O(log n) steps at worst:
//
// * a parent is due no later than its children, so the root is due first;
// * a node's rank is the length of the way to the nearest place without a child; no right child outranks its left
//   sibling. The way down the right side therefore has at most log2(n + 1) nodes, and a merge walks two of them;
// * a removal mends ranks upwards until one is right already, which is again no more than log2(n + 1) nodes.
//
// The hardware timer is armed when the new first timer is due earlier than what it is armed for. It is left alone
// when the first timer was stopped or moved later: the interrupt then finds nothing due and arms anew, which costs
// less than arming each time a guest postpones its timer. Before a CPU sleeps, Rearm sets it right.
//
// A timer runs on the CPU whose queue it is in, with no lock held, after it has left the queue; it may be set again
// from there. What it does is a switch over its kind (TimerActions): no code addresses are stored anywhere.
//
// Locking: Lock protects the heap, every timer in it, and Running. A timer's Queue changes under both queues' locks,
// the lower CPU's first. Innermost but for nothing: raising a soft interrupt on another CPU takes no lock.

using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Threading;
using Hypervisor.Core.Scheduling;

namespace Hypervisor.Core.Time;

/// <summary>The timers that one CPU runs.</summary>
[StructLayout(LayoutKind.Sequential)]
public unsafe struct TimerQueue
{
    public SpinLock Lock;
    public Timer* Root;

    /// <summary>The timer whose action this CPU carries out.</summary>
    public ulong Running;

    /// <summary>What the hardware is armed for; <see cref="SystemTime.Never"/> while it is not.</summary>
    public ulong Armed;

    public uint Cpu;

    /// <summary>Makes an empty queue of CPU <paramref name="cpu"/>, which runs this.</summary>
    public static void Initialise(CpuInfo* cpu, TimerQueue* queue)
    {
        *queue = default;
        queue->Armed = SystemTime.Never;
        queue->Cpu = cpu->CpuId;
        cpu->TimerQueue = queue;
    }

    /// <summary>Makes a timer that is not set.</summary>
    public static void Prepare(Timer* timer, TimerKind kind, void* subject, TimerQueue* queue)
    {
        *timer = default;
        timer->Kind = kind;
        timer->Subject = subject;
        timer->Queue = queue;
    }

    /// <summary>Sets the timer, or moves it when it is set already. A deadline that has passed is due at
    /// once.</summary>
    public static void Set(Timer* timer, ulong deadline)
    {
        TimerQueue* queue = Acquire(timer);
        if (!timer->IsSet)
        {
            timer->Deadline = deadline;
            Insert(queue, timer);
        }
        else if (FitsInPlace(timer, deadline))
        {
            timer->Deadline = deadline;
        }
        else
        {
            Remove(queue, timer);
            timer->Deadline = deadline;
            Insert(queue, timer);
        }

        if (queue->Root == timer && deadline < queue->Armed)
        {
            ArmSooner(queue, deadline);
        }

        queue->Lock.Release();
    }

    /// <summary>Takes the timer out of its queue. Its action may be under way on another CPU
    /// (<see cref="Kill"/>).</summary>
    public static void Stop(Timer* timer)
    {
        if (!timer->IsSet)
        {
            return;
        }

        TimerQueue* queue = Acquire(timer);
        if (timer->IsSet)
        {
            Remove(queue, timer);
        }

        queue->Lock.Release();
    }

    /// <summary>Stops a timer for good: afterwards its action does not run anywhere, and its memory may go.</summary>
    /// <remarks>Precondition: nobody sets it any more, its own action excepted; not called from that action.</remarks>
    public static void Kill(Timer* timer)
    {
        while (true)
        {
            Stop(timer);
            if (Volatile.Read(ref timer->Queue->Running) != (ulong)timer)
            {
                // The action may have set the timer again before it ended.
                if (!timer->IsSet)
                {
                    return;
                }
            }
            else
            {
                Machine.SpinWait();
            }
        }
    }

    /// <summary>Gives the timer to another CPU, set or not.</summary>
    public static void Move(Timer* timer, TimerQueue* target)
    {
        while (true)
        {
            TimerQueue* source = timer->Queue;
            if (source == target)
            {
                return;
            }

            TimerQueue* first = source->Cpu < target->Cpu ? source : target;
            TimerQueue* second = source->Cpu < target->Cpu ? target : source;
            first->Lock.Acquire();
            second->Lock.Acquire();
            bool isStill = timer->Queue == source;
            if (isStill)
            {
                bool wasSet = timer->IsSet;
                if (wasSet)
                {
                    Remove(source, timer);
                }

                timer->Queue = target;
                if (wasSet)
                {
                    Insert(target, timer);
                    if (target->Root == timer && timer->Deadline < target->Armed)
                    {
                        ArmSooner(target, timer->Deadline);
                    }
                }
            }

            second->Lock.Release();
            first->Lock.Release();
            if (isStill)
            {
                return;
            }
        }
    }

    /// <summary>Carries out what is due on this CPU and arms the hardware for what comes next: the timer soft
    /// interrupt.</summary>
    public static void RunDue(CpuInfo* cpu)
    {
        TimerQueue* queue = (TimerQueue*)cpu->TimerQueue;
        ulong now = SystemTime.Now();
        queue->Lock.Acquire();
        while (queue->Root != null && queue->Root->Deadline <= now)
        {
            Timer* timer = queue->Root;
            Remove(queue, timer);
            Volatile.Write(ref queue->Running, (ulong)timer);
            queue->Lock.Release();

            TimerActions.Run(timer, now);

            queue->Lock.Acquire();
            Volatile.Write(ref queue->Running, 0UL);
        }

        // Whether the interrupt has come that the hardware was armed for is not known: some fire a little early.
        Arm(queue);
        queue->Lock.Release();
    }

    /// <summary>Arms the hardware for exactly the first timer. The CPU is about to sleep.</summary>
    public static void Rearm(CpuInfo* cpu)
    {
        TimerQueue* queue = (TimerQueue*)cpu->TimerQueue;
        queue->Lock.Acquire();
        if (queue->Armed != (queue->Root == null ? SystemTime.Never : queue->Root->Deadline))
        {
            Arm(queue);
        }

        queue->Lock.Release();
    }

    /// <summary>Locks the queue that the timer is in.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TimerQueue* Acquire(Timer* timer)
    {
        while (true)
        {
            TimerQueue* queue = timer->Queue;
            queue->Lock.Acquire();
            if (timer->Queue == queue)
            {
                return queue;
            }

            queue->Lock.Release();
        }
    }

    private static void Arm(TimerQueue* queue)
    {
        queue->Armed = queue->Root == null ? SystemTime.Never : queue->Root->Deadline;
        Machine.ArmTimer(queue->Root == null ? 0 : SystemTime.ToTsc(queue->Root->Deadline));
    }

    private static void ArmSooner(TimerQueue* queue, ulong deadline)
    {
        if (Machine.Cpu->TimerQueue == queue)
        {
            queue->Armed = deadline;
            Machine.ArmTimer(SystemTime.ToTsc(deadline));
        }
        else
        {
            SoftIrqs.RaiseOn(queue->Cpu, SoftIrq.Timer);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool FitsInPlace(Timer* timer, ulong deadline) =>
        (timer->Parent == null || timer->Parent->Deadline <= deadline)
        && (timer->Left == null || deadline <= timer->Left->Deadline)
        && (timer->Right == null || deadline <= timer->Right->Deadline);

    private static void Insert(TimerQueue* queue, Timer* timer)
    {
        timer->Left = null;
        timer->Right = null;
        timer->Rank = 1;
        Timer* root = Merge(queue->Root, timer);
        root->Parent = null;
        queue->Root = root;
    }

    private static void Remove(TimerQueue* queue, Timer* timer)
    {
        Timer* parent = timer->Parent;
        Timer* below = Merge(timer->Left, timer->Right);
        if (below != null)
        {
            below->Parent = parent;
        }

        if (parent == null)
        {
            queue->Root = below;
        }
        else
        {
            if (parent->Left == timer)
            {
                parent->Left = below;
            }
            else
            {
                parent->Right = below;
            }

            while (parent != null && MendRank(parent))
            {
                parent = parent->Parent;
            }
        }

        timer->Rank = 0;
    }

    /// <summary>One heap of two; the caller sets the root's parent.</summary>
    private static Timer* Merge(Timer* one, Timer* other)
    {
        if (one == null)
        {
            return other;
        }

        if (other == null)
        {
            return one;
        }

        if (other->Deadline < one->Deadline)
        {
            Timer* later = one;
            one = other;
            other = later;
        }

        // Down the right side of the result, always taking the earlier of the two heads.
        Timer* root = one;
        Timer* last = one;
        while (last->Right != null)
        {
            Timer* right = last->Right;
            if (other->Deadline < right->Deadline)
            {
                last->Right = other;
                other->Parent = last;
                other = right;
            }

            last = last->Right;
        }

        last->Right = other;
        other->Parent = last;

        while (last != root)
        {
            _ = MendRank(last);
            last = last->Parent;
        }

        _ = MendRank(root);
        return root;
    }

    /// <summary>Puts the higher rank left and computes the node's own; true when that changed.</summary>
    private static bool MendRank(Timer* node)
    {
        Timer* left = node->Left;
        Timer* right = node->Right;
        uint leftRank = left == null ? 0 : left->Rank;
        uint rightRank = right == null ? 0 : right->Rank;
        if (leftRank < rightRank)
        {
            node->Left = right;
            node->Right = left;
            rightRank = leftRank;
        }

        uint rank = rightRank + 1;
        bool changed = node->Rank != rank;
        node->Rank = rank;
        return changed;
    }
}

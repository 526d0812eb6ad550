// SPDX-License-Identifier: MIT

using System;
using System.Collections.Generic;
using System.Linq;
using System.Numerics;
using Hypervisor.Core.Scheduling;
using Hypervisor.Core.Tests.Scheduling;
using Hypervisor.Core.Time;
using Xunit;

namespace Hypervisor.Core.Tests.Time;

public sealed unsafe class TimerQueueTests : IDisposable
{
    private readonly TestSystem _system = new(cpus: 2);
    private readonly TimerQueue* _queue;

    public TimerQueueTests() => _queue = (TimerQueue*)Machine.Cpu->TimerQueue;

    public void Dispose() => _system.Dispose();

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    public void Whatever_is_set_moved_and_stopped_the_heap_holds_and_what_is_due_fires(int seed)
    {
        const int Count = 200;
        Random random = new(seed);
        Timer* timers = NewTimers(Count);
        Dictionary<int, ulong> model = [];
        for (int step = 0; step < 5000; step++)
        {
            int index = random.Next(Count);
            ulong now = SystemTime.Now();
            switch (random.Next(8))
            {
                case < 5:
                    ulong deadline = (ulong)Math.Max(0, (long)now + random.Next(-50, 2000));
                    TimerQueue.Set(&timers[index], deadline);
                    model[index] = deadline;
                    break;
                case 5 or 6:
                    TimerQueue.Stop(&timers[index]);
                    _ = model.Remove(index);
                    break;
                default:
                    _system.Machine.AdvanceTsc((ulong)random.Next(100));
                    TimerQueue.RunDue(Machine.Cpu);
                    foreach (int due in model.Where(pair => pair.Value <= SystemTime.Now()).Select(p => p.Key).ToList())
                    {
                        _ = model.Remove(due);
                    }

                    break;
            }

            CheckHeap();
            Assert.Equal(model.Keys.Order(), Enumerable.Range(0, Count).Where(i => timers[i].IsSet));
            Assert.All(model, pair => Assert.Equal(pair.Value, timers[pair.Key].Deadline));
            Assert.Equal(model.Count == 0, _queue->Root == null);
            Assert.True(model.Count == 0 || _queue->Root->Deadline == model.Values.Min());

            // The hardware never fires later than the first timer is due.
            Assert.True(model.Count == 0 || _queue->Armed <= model.Values.Min());
        }
    }

    [Fact]
    public void The_right_side_is_as_short_as_a_logarithm_even_for_sorted_input()
    {
        const int Count = 4096;
        Timer* timers = NewTimers(Count);
        for (int index = 0; index < Count; index++)
        {
            TimerQueue.Set(&timers[index], (ulong)(1_000_000 + index));
        }

        int length = 0;
        for (Timer* timer = _queue->Root; timer != null; timer = timer->Right)
        {
            length++;
        }

        Assert.InRange(length, 1, BitOperations.Log2(Count + 1));
        CheckHeap();
    }

    [Fact]
    public void Timers_fire_in_the_order_of_their_deadlines()
    {
        // A slice timer raises Schedule; the one that is due later stays.
        Timer* timers = NewTimers(2);
        TimerQueue.Set(&timers[0], 2000);
        TimerQueue.Set(&timers[1], 1000);
        _system.Machine.Tsc = 1500;
        TimerQueue.RunDue(Machine.Cpu);
        Assert.False(timers[1].IsSet);
        Assert.True(timers[0].IsSet);
        Assert.Equal(2000UL, FakeMachine.Cpu.ArmedTimer);
    }

    [Fact]
    public void The_hardware_is_armed_for_the_first_timer_and_left_alone_by_later_ones()
    {
        Timer* timers = NewTimers(3);
        TimerQueue.Set(&timers[0], 5000);
        Assert.Equal(5000UL, FakeMachine.Cpu.ArmedTimer);
        int armings = FakeMachine.Cpu.TimerArmings;
        TimerQueue.Set(&timers[1], 6000);
        Assert.Equal(armings, FakeMachine.Cpu.TimerArmings);
        TimerQueue.Set(&timers[2], 4000);
        Assert.Equal(4000UL, FakeMachine.Cpu.ArmedTimer);
    }

    [Fact]
    public void Postponing_costs_no_arming_until_the_old_time_comes()
    {
        Timer* timer = NewTimers(1);
        TimerQueue.Set(timer, 1000);
        int armings = FakeMachine.Cpu.TimerArmings;
        TimerQueue.Set(timer, 9000);
        Assert.Equal(armings, FakeMachine.Cpu.TimerArmings);
        _system.Machine.Tsc = 1000;
        TimerQueue.RunDue(Machine.Cpu);
        Assert.True(timer->IsSet);
        Assert.Equal(9000UL, FakeMachine.Cpu.ArmedTimer);
    }

    [Fact]
    public void A_cpu_that_is_about_to_sleep_arms_exactly()
    {
        Timer* timer = NewTimers(1);
        TimerQueue.Set(timer, 1000);
        TimerQueue.Set(timer, 9000);
        TimerQueue.Rearm(Machine.Cpu);
        Assert.Equal(9000UL, FakeMachine.Cpu.ArmedTimer);
        TimerQueue.Stop(timer);
        TimerQueue.Rearm(Machine.Cpu);
        Assert.Equal(0UL, FakeMachine.Cpu.ArmedTimer);
    }

    [Fact]
    public void An_interrupt_that_comes_too_early_arms_again()
    {
        Timer* timer = NewTimers(1);
        TimerQueue.Set(timer, 1000);
        FakeMachine.Cpu.ArmedTimer = 0;
        _system.Machine.Tsc = 999;
        TimerQueue.RunDue(Machine.Cpu);
        Assert.True(timer->IsSet);
        Assert.Equal(1000UL, FakeMachine.Cpu.ArmedTimer);
    }

    [Fact]
    public void Setting_another_cpu_s_timer_asks_that_cpu_to_arm_its_own()
    {
        Timer* timer = NewTimers(1);
        FakeMachine.RunOn(1);
        TimerQueue.Set(timer, 1000);
        Assert.Equal(0UL, _system.Machine.CpuOf(1).ArmedTimer);
        Assert.Equal(1, _system.Machine.CpuOf(0).Kicks);
        FakeMachine.RunOn(0);
        SoftIrqs.Receive(Machine.Cpu);
        Assert.Equal(SoftIrq.Timer, Machine.Cpu->SoftIrqPending);
        TimerQueue.RunDue(Machine.Cpu);
        Assert.Equal(1000UL, FakeMachine.Cpu.ArmedTimer);
    }

    [Fact]
    public void A_timer_that_moves_keeps_its_deadline()
    {
        Timer* timer = NewTimers(1);
        TimerQueue.Set(timer, 1000);
        FakeMachine.RunOn(1);
        TimerQueue* other = (TimerQueue*)Machine.Cpu->TimerQueue;
        TimerQueue.Move(timer, other);
        Assert.True(_queue->Root == null);
        Assert.True(other->Root == timer && timer->Queue == other);
        Assert.Equal(1000UL, FakeMachine.Cpu.ArmedTimer);
    }

    [Fact]
    public void Killing_waits_for_the_action_on_another_cpu()
    {
        Timer* timer = NewTimers(1);
        TimerQueue.Set(timer, 1000);
        _queue->Running = (ulong)timer;
        int turns = 0;
        _system.Machine.OnSpinWait = () => _queue->Running = ++turns == 3 ? 0 : _queue->Running;
        TimerQueue.Kill(timer);
        Assert.Equal(3, turns);
        Assert.False(timer->IsSet);
    }

    private Timer* NewTimers(int count)
    {
        Timer* timers = _system.Allocate<Timer>(count);
        for (int index = 0; index < count; index++)
        {
            TimerQueue.Prepare(&timers[index], TimerKind.SchedulerSlice, Machine.Cpu, _queue);
        }

        return timers;
    }

    private void CheckHeap()
    {
        if (_queue->Root != null)
        {
            Assert.True(_queue->Root->Parent == null);
            _ = CheckBelow(_queue->Root);
        }
    }

    private static uint CheckBelow(Timer* timer)
    {
        uint left = CheckChild(timer, timer->Left);
        uint right = CheckChild(timer, timer->Right);
        Assert.True(left >= right);
        Assert.Equal(right + 1, timer->Rank);
        return timer->Rank;
    }

    private static uint CheckChild(Timer* timer, Timer* child)
    {
        if (child == null)
        {
            return 0;
        }

        Assert.True(child->Parent == timer);
        Assert.True(child->Deadline >= timer->Deadline);
        return CheckBelow(child);
    }
}

// SPDX-License-Identifier: MIT
using Xt.Machine;
using Xunit;

namespace Image.Tests;

/// <summary>A session of many commands, proved on Debian's Xen 4.17.</summary>
[Collection(SessionCollection.Name)]
public sealed class ReferenceSessionTests(SessionPool pool)
{
    [LongFact]
    public void A_session_brings_status_and_output_of_each_command() =>
        pool.Use(HypervisorKind.Xen, dom0 =>
        {
            Assert.Equal((3, "hello\n"), dom0.Run("echo hello; exit 3"));
            Assert.Equal((0, string.Empty), dom0.Run("true"));
        });

    [LongFact]
    public void A_script_much_longer_than_the_receive_buffers_arrives_whole() =>
        pool.Use(HypervisorKind.Xen, dom0 =>
        {
            string text = new('x', 3000);
            Assert.Equal(text + "\n", dom0.Require($"echo {text}"));
        });

    [LongFact]
    public void Ctrl_C_ends_a_command_on_the_console() =>
        pool.Use(HypervisorKind.Xen, dom0 =>
        {
            dom0.Start("trap 'exit 9' INT; echo waiting; while :; do sleep 0.2; done");
            dom0.WaitFor("waiting", System.TimeSpan.FromSeconds(30));
            dom0.Type("\x03");
            Assert.Equal(9, dom0.Finish());
        });
}

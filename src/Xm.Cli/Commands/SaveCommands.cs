// SPDX-License-Identifier: MIT
using System;
using System.Globalization;
using System.IO;
using System.Linq;
using Dom0.Toolstack.Domains;
using Dom0.Toolstack.Migration;

namespace Xm.Cli.Commands;

internal static class SaveCommands
{
    private const int DefaultSeconds = 60;

    public static int Save(CommandContext context)
    {
        DomainReference domain = context.Domain();
        bool keepsRunning = context.Arguments.Has("checkpoint");
        using TransferDisplay display = new(context.ProgressLine(), $"Saving {domain.Name}");
        DomainSaver saver = new(context.Hypervisor, context.Store)
        {
            Progress = display.Show,
            Destroyer = saved => DomainCommands.DestroyNow(context, saved),
            SuspendLimit = TimeSpan.FromSeconds(Seconds(context)),
        };
        TransferReport report = saver.Save(domain, Path.GetFullPath(context.Arguments.Positional[1]), keepsRunning,
            display.Interruption);
        display.Clear();
        return context.Report(report, XmJson.Default.TransferReport, saved =>
            context.Output.WriteLine($"Saved {saved.Name} to {saved.File}: {Rate(saved)}; "
                + (keepsRunning ? "it runs on." : "it is gone until 'xm restore'.")));
    }

    public static int Restore(CommandContext context)
    {
        using TransferDisplay display = new(context.ProgressLine(), "Restoring");
        DomainRestorer restorer = new(context.Hypervisor, context.Store)
        {
            Progress = display.Show,
            Keeper = built => DomainCommands.HandOver(context, built),
        };
        TransferReport report = restorer.Restore(Path.GetFullPath(context.Arguments.Positional[0]),
            display.Interruption);
        display.Clear();
        DomainReference domain = new(report.DomainId, report.Name);
        if (!context.Arguments.Has("paused"))
        {
            DomainCommands.UnpauseNow(context, domain);
        }

        return context.Report(report, XmJson.Default.TransferReport, restored =>
            context.Output.WriteLine($"Restored {restored.Name} (id={restored.DomainId}): {Rate(restored)}"));
    }

    public static int Verify(CommandContext context)
    {
        SaveSummary summary = SaveFileVerifier.Verify(Path.GetFullPath(context.Arguments.Positional[0]));
        return context.Report(summary, XmJson.Default.SaveSummary, sound => Print(context.Output, sound));
    }

    private static int Seconds(CommandContext context) => context.Arguments.Value("timeout") is not { } text
        ? DefaultSeconds
        : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int seconds) && seconds is >= 1 and <= 86400
            ? seconds
            : throw new UsageException($"timeout is a number of seconds from 1 to 86400, not '{text}'");

    private static string Rate(TransferReport report) => string.Create(CultureInfo.InvariantCulture,
        $"{report.Bytes / 1e6:F1} MB in {report.Seconds:F1} s, {report.MegabytesPerSecond:F1} MB/s");

    private static void Print(TextWriter output, SaveSummary summary)
    {
        TableWriter table = new(output, new TableColumn("Offset", 12), new TableColumn("Record", 20, IsLeft: true),
            new TableColumn("Bytes", 9), new TableColumn("Checksum", 16, IsLeft: true),
            new TableColumn("Contents", 8, IsLeft: true));
        foreach (SaveRecordSummary record in summary.Records)
        {
            table.Write(record.Offset.ToString(CultureInfo.InvariantCulture), record.Record,
                record.Bytes.ToString(CultureInfo.InvariantCulture), record.Checksum ?? "-", record.Contents);
        }

        output.WriteLine();
        output.WriteLine($"name           {summary.Name}");
        output.WriteLine($"uuid           {summary.Uuid:D}");
        output.WriteLine($"memory         {summary.MemoryKib / 1024} MiB of {summary.MaximumMemoryKib / 1024} MiB, "
            + $"{summary.PageTables} page tables");
        output.WriteLine($"virtual CPUs   {summary.OnlineVcpus} of {summary.MaximumVcpus}");
        foreach (string device in summary.Disks.Select(disk => $"disk           {disk}")
            .Concat(summary.Vifs.Select(vif => $"vif            {vif}")))
        {
            output.WriteLine(device);
        }

        output.WriteLine($"written by     {summary.Writer} under Xen {summary.XenVersion}, image version "
            + $"{summary.ImageVersion}");
        output.WriteLine($"{summary.File} is sound: {summary.Bytes} bytes, {summary.Records.Count} records, "
            + (summary.HasChecksums ? "all checksums are right." : "without checksums."));
    }
}

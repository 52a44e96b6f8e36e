using System.Globalization;
using System.Text;
using EgpuFleet.Cli.Terminal;

namespace EgpuFleet.Cli.Evidence;

/// <summary>The report as people read it, with the same as JSON at its end.</summary>
internal static class EvidenceMarkdown
{
    /// <param name="json">The report, redacted; what is written for people must come from the same.</param>
    public static string Write(EvidenceReport report, string json)
    {
        var text = new StringBuilder();
        text.AppendLine("# Hardware check").AppendLine();
        text.AppendLine($"**{Verdict(report)}** {Cell(report.Scope)}").AppendLine();
        if (report.End is { } end)
            text.AppendLine($"Not complete: {Cell(end)}.").AppendLine();
        Header(text, report);
        foreach (var target in report.Targets)
            Target(text, target);
        Doctor(text, report);
        text.AppendLine("## All of it, for programs").AppendLine();
        text.AppendLine("```json").AppendLine(json).AppendLine("```");
        return text.ToString();
    }

    public static string Verdict(EvidenceReport report)
    {
        var counts = $"{report.Passed} passed, {report.Failed} failed, {report.NotRun} not run.";
        return report.IsPassed ? $"All that ran passed: {counts}" : $"Not passed: {counts}";
    }

    private static void Header(StringBuilder text, EvidenceReport report)
    {
        var machine = report.Machine;
        Row(text, "", "");
        text.AppendLine("|---|---|");
        Row(text, "when", $"{report.At:yyyy-MM-dd HH:mm} UTC, {report.Seconds:0} s of {report.BudgetSeconds:0} s");
        Row(text, "EgpuFleet", $"{machine.Version}, commit {machine.Commit}");
        Row(text, "system", $"{machine.System}, {machine.Architecture}");
        Row(text, "machine", $"{machine.Chip}, {machine.ThreadCount} threads, {Format.Bytes(machine.MemoryBytes)}");
        foreach (var device in report.Devices)
        {
            var enclosure = device.Enclosure is null ? "" : $", in {device.Enclosure}";
            var state = device.Reason is null ? "usable" : $"not usable: {device.Reason}";
            Row(text, device.Name, $"{device.Gpu?.ToString() ?? device.Model}{enclosure}; {state}");
        }
        Row(
            text,
            "model",
            $"{report.Model.Name}, {report.Model.Architecture}, {report.Model.FileType}, sha256 {report.Model.Sha256[..16]}…"
        );
        text.AppendLine();
    }

    private static void Target(StringBuilder text, TargetEvidence target)
    {
        var version = target.EngineVersion is null ? "" : $" {target.EngineVersion}";
        text.AppendLine(Cell($"## {target.Device}, {target.Engine}{version} on {target.EngineDevice}")).AppendLine();
        text.AppendLine("| evidence | status | s | seen |").AppendLine("|---|---|---|---|");
        foreach (var item in target.Items)
        {
            var why = item.Cause is null ? "" : $" {item.Cause} Fix: {item.Fix}";
            Row(
                text,
                Words(item.Id),
                Words(item.Status.ToString(), camel: true),
                item.Seconds.ToString("0.0", CultureInfo.InvariantCulture),
                item.Seen + why
            );
        }
        text.AppendLine();
    }

    private static void Doctor(StringBuilder text, EvidenceReport report)
    {
        text.AppendLine("## The doctor").AppendLine();
        text.AppendLine("| check | state | seen |").AppendLine("|---|---|---|");
        foreach (var check in report.Doctor)
        {
            var fix = check.Fix is null ? "" : $" {check.Cause} Fix: {check.Fix}";
            Row(text, Words(check.Id), Words(check.State.ToString(), camel: true), check.Seen + fix);
        }
        text.AppendLine();
    }

    private static void Row(StringBuilder text, params string[] cells) =>
        text.AppendLine($"| {string.Join(" | ", cells.Select(Cell))} |");

    /// <summary>What stands in a cell must not end it, nor begin a link or a tag.</summary>
    private static string Cell(string text) =>
        text.ReplaceLineEndings(" ")
            .Replace("|", @"\|", StringComparison.Ordinal)
            .Replace("<", "&lt;", StringComparison.Ordinal);

    private static string Words(string id, bool camel = false)
    {
        if (!camel)
            return id.Replace('_', ' ');
        return string.Concat(
            id.Select(
                (c, i) => i > 0 && char.IsUpper(c) ? $" {char.ToLowerInvariant(c)}" : $"{char.ToLowerInvariant(c)}"
            )
        );
    }
}

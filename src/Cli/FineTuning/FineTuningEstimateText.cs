using System.Globalization;
using EgpuFleet.Api;
using EgpuFleet.Cli.Terminal;

namespace EgpuFleet.Cli.FineTuning;

/// <summary>An estimate for people.</summary>
internal static class FineTuningEstimateText
{
    public static void Print(FleetConsole console, FineTuningEstimateInfo estimate)
    {
        var hyper = estimate.Hyperparameters;
        Say(console, $"Base        {estimate.Model}, {estimate.Method}");
        Print(console, "Data        ", estimate.Training, estimate.IsCounted);
        if (estimate.Validation is { } held)
            Print(console, "Held out    ", held, isCounted: true);
        Say(
            console,
            $"Run         {hyper.NEpochs} epochs, {hyper.BatchSize} rows of {estimate.RowTokens} tokens a step: {estimate.Steps:#,0} steps, {estimate.Tokens:#,0} tokens to learn from"
        );
        foreach (var (field, why) in estimate.Chosen.OrderBy(one => one.Key, StringComparer.Ordinal))
            console.Line($"  {field}: {why}");
        foreach (var warning in estimate.Warnings)
            console.Line($"Warning     {warning}");
        if (estimate.Preview is { } preview)
        {
            Say(
                console,
                $"Line {preview.Line} as the model reads it ({preview.Tokens} tokens, {preview.TrainedTokens} learnt, these in [[ ]]):"
            );
            console.Line(string.Concat(preview.Parts.Select(part => part.IsTrained ? $"[[{part.Text}]]" : part.Text)));
        }
        console.Line();
        console.Table(
            ["DEVICE", "ENGINE", "FITS", "NEEDS ABOUT", "HAS", "LARGEST MODEL", "TOKENS/S", "TIME", "WHY NOT"],
            estimate.Devices.Select(Row)
        );
    }

    private static IReadOnlyList<string> Row(DeviceEstimateInfo device) =>
        [
            device.Device,
            device.Engine ?? "-",
            device.Fits ? "yes" : "no",
            device.NeededBytes is { } needed ? Format.Bytes(needed) : "-",
            Format.Bytes(device.MemoryBytes),
            device.LargestParameters > 0 ? Invariant($"{device.LargestParameters / 1e9:0.0} B weights") : "-",
            device.TokensPerSecond is { } pace ? Invariant($"{pace:#,0}") : "unknown",
            device.Seconds is { } seconds ? FineTuningText.Duration(TimeSpan.FromSeconds(seconds)) : "unknown",
            device.Reason ?? "",
        ];

    private static void Print(FleetConsole console, string name, TrainingDataInfo data, bool isCounted) =>
        Say(
            console,
            $"{name}{data.Samples:#,0} samples, {(isCounted ? "" : "about ")}{data.Tokens:#,0} tokens, {data.TrainedTokens:#,0} of them learnt, the longest sample {data.LongestTokens:#,0}"
        );

    private static void Say(FleetConsole console, FormattableString text) => console.Line(Invariant(text));

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}

using System.Text.Json;
using System.Text.Json.Nodes;
using EgpuFleet.Cli.Terminal;
using EgpuFleet.Cli.Verbs;
using EgpuFleet.TestKit.Fleet.Soak;

namespace EgpuFleet.Benchmarks.Faults;

/// <summary>Lines of a soak while it goes on, and its verdict as one line of JSON.</summary>
internal static class SoakReport
{
    private const double Mebibyte = 1 << 20;

    public static string Header { get; } =
        "   TIME     JOBS  WAITING  ERRORS    TABLES  LARGEST TABLE                MEMORY";

    public static string LineOf(SoakSample sample)
    {
        var largest = sample.TableBytes.MaxBy(table => table.Value);
        var memory = sample.ResidentBytes.Select(process => $"{process.Key} {Format.Bytes(process.Value)}");
        return $"{sample.At.TotalSeconds, 5:0} s {sample.Jobs, 8} {sample.Unfinished, 8} {sample.Errors, 7} "
            + $"{Format.Bytes(sample.TableBytes.Values.Sum()), 9}  {largest.Key} {Format.Bytes(largest.Value)}  "
            + string.Join(", ", memory);
    }

    public static string JsonLine(SoakVerdict verdict, FaultBench settings)
    {
        var line = new JsonObject
        {
            ["benchmark"] = "soak",
            ["minutes"] = settings.Minutes,
            ["asked_jobs_s"] = settings.Rate,
            ["jobs_s"] = Math.Round(verdict.Rate, 1),
            ["errors"] = verdict.Errors,
            ["memory_flat"] = verdict.IsFlat,
            ["tables_bounded"] = verdict.IsBounded,
            ["table_growth"] = Math.Round(verdict.TableGrowth, 3),
            ["good"] = verdict.IsGood,
        };
        line["slope_mib_per_hour"] = ToJson(verdict.Slopes, bytes => Math.Round(bytes / Mebibyte, 1));
        line["max_resident_mib"] = ToJson(verdict.MaxResident, bytes => Math.Round(bytes / Mebibyte, 1));
        line["max_table_mib"] = ToJson(verdict.MaxTables, bytes => Math.Round(bytes / Mebibyte, 1));
        return line.ToJsonString(JsonSerializerOptions.Default);
    }

    private static JsonObject ToJson<T>(IReadOnlyDictionary<string, T> values, Func<T, double> shown) =>
        new(values.Select(pair => KeyValuePair.Create(pair.Key, (JsonNode?)shown(pair.Value))));
}

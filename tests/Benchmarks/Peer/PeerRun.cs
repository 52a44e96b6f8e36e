using System.Diagnostics;
using System.Text.Json;
using System.Text.Json.Nodes;
using EgpuFleet.Benchmarks.Processes;
using EgpuFleet.Benchmarks.Queue;
using Npgsql;

namespace EgpuFleet.Benchmarks.Peer;

/// <summary>One run of one peer by its script <c>measure.mjs</c>: a load process and, forked by it, a worker process.</summary>
internal sealed class PeerRun(string folder, QueueSizes sizes, IReadOnlyList<string> only, Action<string> say)
{
    public Task<IReadOnlyDictionary<string, double>> GraphileAsync(string connectionString, CancellationToken token) =>
        RunAsync(new JsonObject { ["peer"] = "graphile-worker", ["connection"] = Url(connectionString) }, token);

    public Task<IReadOnlyDictionary<string, double>> BullAsync(int port, CancellationToken token) =>
        RunAsync(new JsonObject { ["peer"] = "bullmq", ["port"] = port }, token);

    private async Task<IReadOnlyDictionary<string, double>> RunAsync(JsonObject options, CancellationToken token)
    {
        options["seconds"] = sizes.Seconds;
        options["warmupSeconds"] = sizes.WarmupSeconds;
        options["settleSeconds"] = sizes.SettleSeconds;
        options["settleJobs"] = sizes.SettleJobs;
        options["only"] = new JsonArray([.. only.Select(name => (JsonNode?)name)]);
        options["clients"] = new JsonArray(1, 16, 256);
        options["bulkClients"] = QueueSizes.BulkClients;
        options["bulkJobs"] = QueueSizes.BulkJobs;
        options["latencySamples"] = sizes.LatencySamples;
        options["pauseMilliseconds"] = QueueSizes.PauseMilliseconds;
        options["endToEndJobs"] = sizes.EndToEndJobs;
        options["drainJobs"] = sizes.PeerDrainJobs;
        var start = new ProcessStartInfo("node", ["measure.mjs"]) { WorkingDirectory = folder };
        start.Environment[ChildRun.TaskVariable] = options.ToJsonString();
        var last = await ChildRun.RunAsync(start, See, token);
        return JsonNode.Parse(last)?["figures"]?.Deserialize<Dictionary<string, double>>()
            ?? throw new IOException($"The peer's last line holds no figures: {last}");
    }

    private void See(string line)
    {
        if (JsonNode.Parse(line)?["now"]?.GetValue<string>() is { } now)
            say(now);
    }

    private static string Url(string connectionString)
    {
        var parts = new NpgsqlConnectionStringBuilder(connectionString);
        return $"postgres://{parts.Username}:{parts.Password}@{parts.Host}:{parts.Port}/{parts.Database}";
    }
}

using System.Diagnostics.Metrics;

namespace EgpuFleet.Silo.Gateway;

/// <summary>
/// Interactive serving, measured at the gateway under the names that vLLM made common; each with <c>model_name</c> of a
/// registered model, so that their number is bounded.
/// </summary>
public sealed class GatewayMetrics : IDisposable
{
    public const string MeterName = "EgpuFleet.Gateway";

    private const string Model = "model_name";

    private readonly Meter meter = new(MeterName);
    private readonly UpDownCounter<int> running;
    private readonly Counter<long> success;
    private readonly Counter<long> failure;
    private readonly Counter<long> promptTokens;
    private readonly Counter<long> generationTokens;
    private readonly Histogram<double> firstToken;
    private readonly Histogram<double> latency;

    public GatewayMetrics()
    {
        running = meter.CreateUpDownCounter<int>("egpufleet.num_requests_running");
        success = meter.CreateCounter<long>("egpufleet.request_success");
        failure = meter.CreateCounter<long>("egpufleet.request_failure");
        promptTokens = meter.CreateCounter<long>("egpufleet.prompt_tokens");
        generationTokens = meter.CreateCounter<long>("egpufleet.generation_tokens");
        firstToken = meter.CreateHistogram<double>("egpufleet.time_to_first_token", "s", advice: Seconds);
        latency = meter.CreateHistogram<double>("egpufleet.e2e_request_latency", "s", advice: Seconds);
    }

    /// <summary>Edges of vLLM's latency histograms.</summary>
    private static InstrumentAdvice<double> Seconds { get; } =
        new()
        {
            HistogramBucketBoundaries =
            [
                0.001,
                0.005,
                0.01,
                0.02,
                0.04,
                0.06,
                0.08,
                0.1,
                0.25,
                0.5,
                0.75,
                1,
                2.5,
                5,
                7.5,
                10,
                20,
                40,
                80,
                160,
            ],
        };

    public void Started(string model) => running.Add(1, Tag(model));

    public void FirstToken(string model, TimeSpan after) => firstToken.Record(after.TotalSeconds, Tag(model));

    public void Finished(string model, string reason, int prompt, int completion, TimeSpan after)
    {
        running.Add(-1, Tag(model));
        success.Add(1, Tag(model), new KeyValuePair<string, object?>("finished_reason", reason));
        promptTokens.Add(prompt, Tag(model));
        generationTokens.Add(completion, Tag(model));
        latency.Record(after.TotalSeconds, Tag(model));
    }

    public void Failed(string model)
    {
        running.Add(-1, Tag(model));
        failure.Add(1, Tag(model));
    }

    public void Dispose() => meter.Dispose();

    private static KeyValuePair<string, object?> Tag(string model) => new(Model, model);
}

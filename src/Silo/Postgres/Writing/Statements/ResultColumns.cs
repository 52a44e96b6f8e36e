using EgpuFleet.Grains.Interfaces.Jobs;
using EgpuFleet.Grains.Ports;

namespace EgpuFleet.Silo.Postgres.Writing.Statements;

/// <summary>Results as columns of <see cref="RecordResults"/>.</summary>
internal sealed class ResultColumns
{
    /// <summary>Of the report a result came with.</summary>
    public required ArrayColumn<int> Ordinals { get; init; }
    public required ArrayColumn<Guid> Jobs { get; init; }
    public required ArrayColumn<int> Indexes { get; init; }
    public required ArrayColumn<bool> Failed { get; init; }
    public required ArrayColumn<int> Attempts { get; init; }
    public required ArrayColumn<string?> Devices { get; init; }
    public required ArrayColumn<int> Processes { get; init; }
    public required ArrayColumn<int> PromptTokens { get; init; }
    public required ArrayColumn<int> CompletionTokens { get; init; }
    public required ArrayColumn<int> Durations { get; init; }
    public required ArrayColumn<string?> Bodies { get; init; }

    public void Add(int ordinal, LedgerOperation.RecordResults report, ItemResult result)
    {
        Ordinals.Add(ordinal);
        Jobs.Add(report.Id.Job.Value);
        Indexes.Add(result.Index);
        Failed.Add(result.ErrorCode is not null);
        Attempts.Add(report.Epoch);
        Devices.Add(result.Device.ToString());
        Processes.Add(result.WorkerProcessId);
        PromptTokens.Add(result.PromptTokens);
        CompletionTokens.Add(result.CompletionTokens);
        Durations.Add(result.DurationMilliseconds);
        Bodies.Add(LedgerJson.Result(result));
    }
}

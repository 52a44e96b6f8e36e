using System.Collections.Concurrent;
using EgpuFleet.TestKit.Checkers;

namespace EgpuFleet.TestKit.Fleet.Chaos;

/// <summary>Writes down what clients do and see. Submits, cancels and expected answers may come from any thread.</summary>
public sealed class Recorder
{
    private readonly ConcurrentQueue<SubmitCall> submits = new();
    private readonly ConcurrentQueue<CancelCall> cancels = new();
    private readonly ConcurrentQueue<JobSighting> sightings = new();
    private readonly ConcurrentQueue<ResultSighting> results = new();
    private readonly ConcurrentDictionary<string, int> answers = new(StringComparer.Ordinal);

    public int Acknowledged => submits.Count(call => call.Outcome == CallOutcome.Acknowledged);

    /// <summary>How often each answer was given, such as <c>submit 202</c>; 0 is none.</summary>
    public IReadOnlyDictionary<string, int> Answers => answers;

    public void Submitted(SubmitCall call) => submits.Enqueue(call);

    public void Cancelled(CancelCall call) => cancels.Enqueue(call);

    /// <summary>Only from the one reader, which reads one thing after the other.</summary>
    public void Saw(JobSighting seen) => sightings.Enqueue(seen);

    public void Saw(ResultSighting seen) => results.Enqueue(seen);

    public void Answered(string call, int status) =>
        answers.AddOrUpdate($"{call} {status}", 1, (_, count) => count + 1);

    public History ToHistory(Drain drain) => new([.. submits], [.. cancels], [.. sightings], [.. results], drain);
}

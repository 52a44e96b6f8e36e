using System.Text.Json;

namespace EgpuFleet.Benchmarks.Load;

/// <summary>The verb <c>load</c>: does one <see cref="LoadSpec"/> and prints its <see cref="LoadResult"/>.</summary>
internal static class LoadProcess
{
    public const string Verb = "load";

    public static async Task RunAsync(string spec, TimeProvider clock, CancellationToken cancellationToken)
    {
        var task = JsonSerializer.Deserialize<LoadSpec>(spec)!;
        var result =
            task.Mode == LoadMode.Dispatch
                ? await new DispatchLoop(task, clock).RunAsync(cancellationToken)
                : await new SubmitLoop(task, clock).RunAsync(cancellationToken);
        Console.WriteLine(JsonSerializer.Serialize(result));
    }
}

using System.Diagnostics;
using EgpuFleet.Benchmarks.Fleet;
using EgpuFleet.Cli.CommandLine;
using EgpuFleet.Cli.Supervision;
using EgpuFleet.Kernels.Engines;
using EgpuFleet.Kernels.Protocol;
using EgpuFleet.Kernels.Training;

namespace EgpuFleet.Benchmarks.Engine;

/// <summary>A worker of one of our engines on the processor, as an agent starts it.</summary>
internal sealed class EngineWorker : IAsyncDisposable
{
    private static readonly TimeSpan ConnectEvery = TimeSpan.FromMilliseconds(50);

    private readonly Process _process;
    private readonly WorkerClient _client;
    private readonly TimeProvider _clock;

    private EngineWorker(Process process, WorkerClient client, TimeProvider clock) =>
        (_process, _client, _clock) = (process, client, clock);

    public static async Task<EngineWorker> StartAsync(
        string program,
        ScratchFolder scratch,
        TimeProvider clock,
        CancellationToken cancellationToken
    )
    {
        var credential = Guid.NewGuid().ToString("N");
        var socket = scratch.At(credential[..8]);
        var folder = Path.Combine(Programs.Root, "src", "Kernels", program.Split('.')[^1]);
        var executable = Path.Combine(Programs.Output(folder), program);
        var start = WorkerLaunch.StartInfo(executable, socket, credential);
        start.Environment[TinygradSettings.DeviceVariable] = EngineSizes.Device;
        start.Environment[TinygradSettings.ThreadsVariable] = $"{Environment.ProcessorCount}";
        var process = Process.Start(start)!;
        while (true)
        {
            try
            {
                var client = await WorkerClient.ConnectAsync(socket, credential, cancellationToken);
                return new EngineWorker(process, client, clock);
            }
            catch (EngineException exception)
                when (exception.ErrorClass == EngineErrorClass.WorkerLost && !process.HasExited)
            {
                await Task.Delay(ConnectEvery, clock, cancellationToken);
            }
        }
    }

    /// <summary>Loads a file under a name and makes it warm. Gives the bytes of its weights.</summary>
    public async Task<long> LoadAsync(string path, string name, int slots, CancellationToken cancellationToken)
    {
        var spec = new LoadSpec(path, name, Environment.ProcessorCount, EngineSizes.ContextTokens, slots);
        var model = await _client.LoadAsync(spec, cancellationToken);
        await _client.WarmUpAsync(name, cancellationToken);
        return model.WeightBytes;
    }

    /// <summary>Generates so many sequences together.</summary>
    public async Task<Generated> GenerateAsync(
        string name,
        Func<int, int[]> prompt,
        int tokens,
        int sequences,
        CancellationToken cancellationToken
    )
    {
        var asked = _clock.GetTimestamp();
        var first = long.MaxValue;
        var all = Enumerable
            .Range(0, sequences)
            .Select(async sequence =>
            {
                var request = new GenerateRequest(
                    name,
                    new TokenPrompt(prompt(sequence)),
                    new GenerationOptions(tokens)
                );
                var produced = 0;
                await foreach (var token in _client.GenerateAsync(request, cancellationToken))
                {
                    if (produced++ == 0)
                        first = Math.Min(first, _clock.GetTimestamp());
                }
                if (produced != tokens)
                    throw new FleetFailure($"The worker gave {produced} of {tokens} tokens.");
            });
        await Task.WhenAll(all);
        return new Generated(
            _clock.GetElapsedTime(asked, first).TotalSeconds,
            _clock.GetElapsedTime(first).TotalSeconds
        );
    }

    public Task<ITrainingSession> OpenTrainingAsync(TrainSpec spec, CancellationToken cancellationToken) =>
        _client.OpenTrainingAsync(spec, cancellationToken);

    public async ValueTask DisposeAsync()
    {
        await _client.DisposeAsync();
        _process.Kill(entireProcessTree: true);
        await _process.WaitForExitAsync(CancellationToken.None);
        _process.Dispose();
    }
}

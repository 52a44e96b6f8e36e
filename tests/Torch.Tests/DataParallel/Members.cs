using EgpuFleet.Grains.Interfaces.Training;
using EgpuFleet.Grains.Training.Policy;
using EgpuFleet.Kernels.Training;
using EgpuFleet.NodeAgent.Checkpoints;
using EgpuFleet.NodeAgent.Training;

namespace EgpuFleet.Torch.Tests.DataParallel;

/// <summary>
/// Members of a run in rounds, without a fleet: each a session of its own, with its own moments; their differences are
/// written as they travel, and the outer step is the silo's.
/// </summary>
internal sealed class Members(
    IReadOnlyList<ITrainingSession> sessions,
    string folder,
    OuterRates rates,
    DeltaEncoding encoding
)
{
    private readonly DeltaEncoder[] encoders = [.. sessions.Select(_ => new DeltaEncoder(encoding))];
    private readonly Dictionary<string, float[]> velocity = new(StringComparer.Ordinal);
    private WeightsFile? theta;

    /// <summary>Both ways, of all members: differences up, weights down.</summary>
    public long SentBytes { get; private set; }

    /// <summary>All members start from the same weights; what they were given before they have.</summary>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        theta = await SaveAsync(0, cancellationToken);
        await ShareAsync(cancellationToken);
        SentBytes = 0;
    }

    /// <param name="work">Batches of each member.</param>
    /// <param name="rate">Of the n-th step of the round.</param>
    public async Task RoundAsync(
        IReadOnlyList<IReadOnlyList<TrainBatch>> work,
        Func<int, double> rate,
        CancellationToken cancellationToken
    )
    {
        var tokens = await Task.WhenAll(
            sessions.Select((session, i) => TrainAsync(session, work[i], rate, cancellationToken))
        );
        var deltas = new List<Dictionary<string, NamedBuffer>>();
        for (var i = 0; i < sessions.Count; i++)
        {
            var theirs = await SaveAsync(i, cancellationToken);
            var written = theta!
                .Tensors.Zip(theirs.Tensors)
                .SelectMany(pair =>
                    encoders[i].Encode(pair.First.Name, pair.First.Shape, pair.First.Values, pair.Second.Values)
                )
                .ToDictionary(buffer => buffer.Name, StringComparer.Ordinal);
            SentBytes += written.Values.Sum(buffer => (long)buffer.Data.Length);
            deltas.Add(written);
        }
        foreach (var (name, _, values) in theta!.Tensors)
        {
            var speed = velocity.GetValueOrDefault(name) ?? (velocity[name] = new float[values.Length]);
            var step = new OuterStep(rates, tokens, values.Length);
            step.Begin(values.Length);
            foreach (var delta in deltas)
                step.Add(Decode(delta, name, values.Length));
            step.Apply(values, speed);
        }
        await ShareAsync(cancellationToken);
    }

    private static async Task<long> TrainAsync(
        ITrainingSession session,
        IReadOnlyList<TrainBatch> batches,
        Func<int, double> rate,
        CancellationToken cancellationToken
    )
    {
        var tokens = 0L;
        for (var nth = 0; nth < batches.Count; nth++)
            tokens += (await session.StepAsync(batches[nth], rate(nth), cancellationToken)).TrainedTokens;
        return tokens;
    }

    private float[] Decode(Dictionary<string, NamedBuffer> delta, string name, int count)
    {
        var values = new float[count];
        var bytes = delta[name].Data.Span;
        switch (encoding)
        {
            case DeltaEncoding.F32:
                System.Runtime.InteropServices.MemoryMarshal.Cast<byte, float>(bytes).CopyTo(values);
                break;
            case DeltaEncoding.F16:
                DeltaCodec.DecodeHalves(bytes, values);
                break;
            default:
                var scales = System.Runtime.InteropServices.MemoryMarshal.Cast<byte, float>(
                    delta[OuterTensors.ScaleOf(name)].Data.Span
                );
                var columns = count / scales.Length;
                for (var row = 0; row < scales.Length; row++)
                    DeltaCodec.DecodeRow(
                        bytes.Slice(row * columns, columns),
                        scales[row],
                        values.AsSpan(row * columns, columns)
                    );
                break;
        }
        return values;
    }

    private async Task ShareAsync(CancellationToken cancellationToken)
    {
        var path = Path.Combine(folder, "base.safetensors");
        theta!.Write(path);
        foreach (var session in sessions)
            await session.RestoreAsync(path, cancellationToken);
        SentBytes += sessions.Count * theta.Tensors.Sum(tensor => tensor.Values.Length * (long)sizeof(float));
    }

    private async Task<WeightsFile> SaveAsync(int member, CancellationToken cancellationToken)
    {
        var path = Path.Combine(folder, $"member-{member}.safetensors");
        await sessions[member].SaveAsync(path, weightsOnly: true, cancellationToken);
        return WeightsFile.Read(path);
    }
}

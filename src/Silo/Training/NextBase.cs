using System.Runtime.InteropServices;
using EgpuFleet.Grains.Interfaces.Checkpoints;
using EgpuFleet.Grains.Interfaces.Training;
using EgpuFleet.Grains.Ports;
using EgpuFleet.Grains.Training.Policy;

namespace EgpuFleet.Silo.Training;

/// <summary>
/// Computes the base of the next round from what is stored, block by block: a pure function of base, velocity and
/// contributions, whichever silo does it and however often.
/// </summary>
internal sealed class NextBase(ICheckpointStore checkpoints, IRoundStore rounds)
{
    private readonly DeltaReader reader = new(checkpoints);

    /// <exception cref="InvalidDataException">The base itself is damaged.</exception>
    public async Task<RoundResult> ComputeAsync(RoundRun run, CancellationToken cancellationToken)
    {
        var outer = await ManifestAsync(run.Checkpoint, cancellationToken);
        var weights = OuterTensors.WeightsOf(outer);
        var contributions = run.State.Contributions;
        var sources = new List<DeltaSource>();
        var norms = new List<double?>();
        foreach (var one in contributions)
        {
            if (!CheckpointId.TryParse(one.Delta, out var id))
                throw new InvalidDataException($"{one.Delta} names no checkpoint.");
            var source = new DeltaSource(await ManifestAsync(id, cancellationToken), one.Encoding);
            sources.Add(source);
            norms.Add(await reader.NormAsync(weights, source, cancellationToken));
        }
        var verdicts = DeltaJudgement.Judge(norms);
        var dropped = contributions
            .Zip(verdicts)
            .Where(one => one.Second is not null)
            .ToDictionary(one => one.First.Delta, one => one.Second!.Value, StringComparer.Ordinal);
        if (dropped.Count == contributions.Count)
            return new RoundResult(null, dropped, 0);
        var tokens = contributions.Where((_, i) => verdicts[i] is null).Select(one => one.Tokens);
        var step = new OuterStep(run.State.Rules.Rates, [.. tokens], DeltaReader.BlockValues);
        DeltaSource[] kept = [.. sources.Where((_, i) => verdicts[i] is null)];
        return await StepAsync(run, outer, weights, kept, step, dropped, cancellationToken);
    }

    private async Task<RoundResult> StepAsync(
        RoundRun run,
        Manifest outer,
        Manifest weights,
        DeltaSource[] deltas,
        OuterStep step,
        Dictionary<string, DropReason> dropped,
        CancellationToken cancellationToken
    )
    {
        var id = await rounds.OpenBaseAsync(run, cancellationToken);
        var theta = new DeltaSource(outer, DeltaEncoding.F32);
        var velocity = new DeltaSource(outer, DeltaEncoding.F32, OuterTensors.VelocityOf);
        var (newTheta, newVelocity) = (
            new TensorWriter(weights, one => one),
            new TensorWriter(weights, OuterTensors.VelocityOf)
        );
        var values = new float[DeltaReader.BlockValues];
        var norm = new DeltaNorm();
        foreach (var block in DeltaReader.Blocks(weights))
        {
            await reader.ReadAsync([theta, velocity, .. deltas], block, cancellationToken);
            step.Begin(block.Count);
            foreach (var delta in deltas)
            {
                delta.Decode(block, values.AsSpan(0, block.Count));
                step.Add(values.AsSpan(0, block.Count));
            }
            var changed = newTheta.Values(block.Count);
            var speed = newVelocity.Values(block.Count);
            theta.Decode(block, changed);
            velocity.Decode(block, speed);
            step.Apply(changed, speed);
            norm.Add(step.Mean);
            Chunk[] chunks = [.. newTheta.Cut(block), .. newVelocity.Cut(block)];
            if (!await rounds.StoreAsync(id, chunks, cancellationToken))
                throw new InvalidOperationException($"{id} was given up while it was written.");
        }
        var manifest = outer with { Tensors = [.. newTheta.Tensors(), .. newVelocity.Tensors()] };
        return new RoundResult(new NewBase(id, manifest), dropped, norm.Value);
    }

    private async Task<Manifest> ManifestAsync(CheckpointId id, CancellationToken cancellationToken) =>
        await checkpoints.ReadManifestAsync(id, cancellationToken)
        ?? throw new InvalidDataException($"{id} has no manifest.");

    /// <summary>Tensors on their way into chunks, one block in memory.</summary>
    private sealed class TensorWriter(Manifest weights, Func<string, string> name)
    {
        private readonly byte[] bytes = new byte[DeltaReader.BlockValues * sizeof(float)];
        private readonly Dictionary<string, List<byte>> hashes = new(StringComparer.Ordinal);

        public Span<float> Values(int count) => MemoryMarshal.Cast<byte, float>(bytes.AsSpan())[..count];

        public IEnumerable<Chunk> Cut(Block block)
        {
            var length = block.Count * sizeof(float);
            for (var at = 0; at < length; at += OuterTensors.ChunkBytes)
            {
                var data = bytes.AsMemory(at, Math.Min(OuterTensors.ChunkBytes, length - at));
                var hash = ChunkHash.Of(data.Span);
                if (!hashes.TryGetValue(block.Tensor.Name, out var list))
                    hashes.Add(block.Tensor.Name, list = []);
                list.AddRange(hash.ToArray());
                yield return new Chunk(hash, data);
            }
        }

        public IEnumerable<ManifestTensor> Tensors() =>
            weights.Tensors.Select(tensor =>
                tensor with
                {
                    Name = name(tensor.Name),
                    Hashes = [.. hashes[tensor.Name]],
                }
            );
    }
}

using System.Runtime.InteropServices;
using EgpuFleet.Grains.Interfaces.Checkpoints;
using EgpuFleet.Grains.Interfaces.Training;
using EgpuFleet.Kernels.Formats.Safetensors;
using EgpuFleet.Kernels.Training;
using EgpuFleet.NodeAgent.Checkpoints;

namespace EgpuFleet.NodeAgent.Training.Shared;

/// <summary>The weights that a round starts from, in the session and in memory, and how far the session has come from them.</summary>
internal sealed class SharedWeights(
    TrainSpec spec,
    ITrainingSession session,
    TrainingFolder folder,
    DeltaEncoder encoder
)
{
    private IReadOnlyList<(string Name, IReadOnlyList<long> Shape, byte[] Values)> start = [];

    /// <summary>How differences are written.</summary>
    public DeltaEncoding Encoding => encoder.Encoding;

    /// <summary>Brings the base of a round into the session; its optimizer keeps what it has.</summary>
    /// <exception cref="CheckpointException">As of <see cref="RoundClient.FetchAsync"/>.</exception>
    public async Task TakeAsync(RoundGateway rounds, RoundNow round, CancellationToken cancellationToken)
    {
        var places = StateFiles.PlacesOf(spec, session.Info);
        var data = new Dictionary<string, Memory<byte>>(StringComparer.Ordinal);
        var manifest = await rounds.AskAsync(
            client => client.FetchAsync(round, tensor => data[tensor.Name] = places.Place(tensor), cancellationToken),
            cancellationToken
        );
        start = [.. manifest.Tensors.Select(tensor => (tensor.Name, tensor.Shape, data[tensor.Name].ToArray()))];
        var path = folder.NextState();
        await Task.Run(() => places.Write(path, step: null), cancellationToken);
        await session.RestoreAsync(path, cancellationToken);
        File.Delete(path);
    }

    /// <summary>The session's weights, for a run that begins with them.</summary>
    public async Task<TrainingState> OwnAsync(CancellationToken cancellationToken) =>
        new(0, null, await SaveAsync(StateFiles.Read, cancellationToken));

    /// <summary>Base - session, in the order of the base.</summary>
    public Task<TrainingState> DeltaAsync(int round, CancellationToken cancellationToken) =>
        SaveAsync(
            path =>
            {
                using var file = SafetensorsFile.Open(path);
                var theirs = file.Tensors.ToDictionary(tensor => tensor.Name, StringComparer.Ordinal);
                var delta = start.SelectMany(tensor =>
                    encoder.Encode(
                        tensor.Name,
                        tensor.Shape,
                        MemoryMarshal.Cast<byte, float>(tensor.Values),
                        file.ReadSingles(theirs[tensor.Name])
                    )
                );
                return new TrainingState(round, null, [.. delta]);
            },
            cancellationToken
        );

    private async Task<T> SaveAsync<T>(Func<string, T> read, CancellationToken cancellationToken)
    {
        var path = folder.NextState();
        await session.SaveAsync(path, weightsOnly: true, cancellationToken);
        try
        {
            return await Task.Run(() => read(path), cancellationToken);
        }
        finally
        {
            File.Delete(path);
        }
    }
}

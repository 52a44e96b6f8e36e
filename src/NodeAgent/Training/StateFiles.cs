using EgpuFleet.Grains.Interfaces.Checkpoints;
using EgpuFleet.Grains.Interfaces.Training;
using EgpuFleet.Kernels.Formats.Safetensors;
using EgpuFleet.Kernels.Formats.Training;
using EgpuFleet.Kernels.Training;
using EgpuFleet.NodeAgent.Checkpoints;

namespace EgpuFleet.NodeAgent.Training;

/// <summary>States between a worker's file and the checkpoint store.</summary>
internal static class StateFiles
{
    /// <summary>The tensors of a worker's state as the store takes them.</summary>
    public static IReadOnlyList<NamedBuffer> Read(string path)
    {
        using var file = SafetensorsFile.Open(path);
        var buffers = new List<NamedBuffer>(file.Tensors.Count);
        foreach (var tensor in file.Tensors)
        {
            var data = new byte[tensor.Bytes];
            file.Read(tensor, 0, data);
            buffers.Add(new NamedBuffer(tensor.Name, ElementType.F32, tensor.Shape, data));
        }
        return buffers;
    }

    /// <summary>Places for the tensors of a checkpoint. Only what a state of this session consists of gets any memory.</summary>
    public static StatePlaces PlacesOf(TrainSpec spec, TrainInfo session) =>
        new(spec, session.Tensors.ToDictionary(tensor => tensor.Name, tensor => tensor.Shape, StringComparer.Ordinal));

    /// <summary>Where a checkpoint's tensors go.</summary>
    internal sealed class StatePlaces(TrainSpec spec, IReadOnlyDictionary<string, IReadOnlyList<long>> expected)
    {
        private readonly Dictionary<string, (IReadOnlyList<long> Shape, byte[] Data)> tensors = new(
            StringComparer.Ordinal
        );

        /// <summary>An outer optimizer's velocity is of no use to a session.</summary>
        /// <exception cref="TrainingStateException">A tensor is none of this session's.</exception>
        public Memory<byte> Place(ManifestTensor tensor)
        {
            if (OuterTensors.IsOuter(tensor.Name))
                return new byte[tensor.SizeBytes];
            if (
                tensor.Type != ElementType.F32
                || !expected.TryGetValue(StateNames.TrainedOf(tensor.Name), out var shape)
                || !shape.SequenceEqual(tensor.Shape)
            )
                throw new TrainingStateException(
                    $"The checkpoint's '{tensor.Name}' is no tensor of this model and adapter."
                );
            var data = new byte[tensor.SizeBytes];
            tensors[tensor.Name] = (shape, data);
            return data;
        }

        /// <summary>Writes what came as a state of the engine.</summary>
        /// <param name="step">Steps done; null: only the weights, since a new run has its own optimizer and count.</param>
        public void Write(string path, long? step)
        {
            var chosen = tensors.Where(one => step is not null || !StateNames.IsMoment(one.Key));
            var file = new SafetensorsWriter();
            StateHead.Write(file, spec, step);
            foreach (var (name, (shape, data)) in chosen)
                file.Add(name, SafetensorsType.F32, shape, stream => stream.Write(data));
            file.WriteTo(path);
        }
    }
}

using System.Security.Cryptography;
using System.Text;
using EgpuFleet.Grains.Interfaces.Checkpoints;

namespace EgpuFleet.Grains.Interfaces.Training;

/// <summary>
/// The checkpoint that a round starts from: weights under their names, and the velocity of the outer optimizer as
/// <c>outer.v.NAME</c>, zeros where it is absent. It belongs to a shard of the job's own, beyond all that run.
/// </summary>
public static class OuterTensors
{
    public const int Shard = int.MaxValue;

    public const int ChunkBytes = CheckpointLimits.ChunkBytesMin;

    private const string Prefix = "outer.";
    private const string Velocity = Prefix + "v.";
    private const string Scale = ".scale";

    public static string VelocityOf(string name) => Velocity + name;

    public static string ScaleOf(string name) => name + Scale;

    /// <summary>Whether it is the outer optimizer's, and no weight.</summary>
    public static bool IsOuter(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        return name.StartsWith(Prefix, StringComparison.Ordinal);
    }

    /// <summary>The part of it that members train.</summary>
    public static Manifest WeightsOf(Manifest outer)
    {
        ArgumentNullException.ThrowIfNull(outer);
        return outer with { Tensors = [.. outer.Tensors.Where(one => !IsOuter(one.Name))] };
    }

    /// <summary>Content hash of the weights, lower-case hexadecimal.</summary>
    public static string HashOf(Manifest weights)
    {
        ArgumentNullException.ThrowIfNull(weights);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var tensor in weights.Tensors)
        {
            hash.AppendData(Encoding.UTF8.GetBytes($"{tensor.Name} {string.Join('x', tensor.Shape)}\n"));
            hash.AppendData(tensor.Hashes);
        }
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    /// <summary>Rows of a tensor, as its encoding in bytes sees them: each has a scale.</summary>
    public static int RowsOf(ManifestTensor tensor)
    {
        ArgumentNullException.ThrowIfNull(tensor);
        return tensor.Shape.Count > 1 ? (int)tensor.Shape[0] : 1;
    }

    /// <summary>Why these cannot be the weights of a run; null when they can.</summary>
    public static string? FaultOfWeights(Manifest weights)
    {
        if (ManifestRules.Fault(weights) is { } fault)
            return fault;
        var longest = CheckpointLimits.NameLength - Velocity.Length;
        foreach (var tensor in weights.Tensors)
        {
            if (tensor.Type != ElementType.F32 || tensor.SizeBytes == 0 || tensor.ChunkBytes != ChunkBytes)
                return $"{tensor.Name}: weights are 32-bit floats in chunks of {ChunkBytes} bytes, at least one";
            if (tensor.Name.Length > longest || IsOuter(tensor.Name))
                return $"{tensor.Name}: a name has at most {longest} characters and does not begin with {Prefix}";
        }
        return null;
    }

    /// <summary>The tensors that a difference from these weights consists of, without their bytes.</summary>
    public static IEnumerable<ManifestTensor> DeltaOf(Manifest weights, DeltaEncoding encoding)
    {
        ArgumentNullException.ThrowIfNull(weights);
        foreach (var tensor in weights.Tensors)
        {
            if (encoding == DeltaEncoding.Int8)
            {
                var rows = RowsOf(tensor);
                yield return new(ScaleOf(tensor.Name), ElementType.F32, [rows], rows * 4L, ChunkBytes, []);
            }
            var type = encoding switch
            {
                DeltaEncoding.F32 => ElementType.F32,
                DeltaEncoding.F16 => ElementType.F16,
                _ => ElementType.U8,
            };
            var bytes = tensor.SizeBytes / 4 * ManifestTensor.Width(type);
            yield return new(tensor.Name, type, tensor.Shape, bytes, ChunkBytes, []);
        }
    }

    /// <summary>Why this is no difference from these weights; null when it is one.</summary>
    public static string? FaultOfDelta(Manifest weights, Manifest delta, DeltaEncoding encoding)
    {
        if (!Enum.IsDefined(encoding))
            return "its encoding is unknown";
        if (ManifestRules.Fault(delta) is { } fault)
            return fault;
        ManifestTensor[] expected = [.. DeltaOf(weights, encoding)];
        if (expected.Length != delta.Tensors.Count)
            return $"it has {delta.Tensors.Count} tensors, not {expected.Length}";
        foreach (var (given, should) in delta.Tensors.Zip(expected))
        {
            if (
                (given.Name, given.Type, given.SizeBytes, given.ChunkBytes)
                    != (should.Name, should.Type, should.SizeBytes, should.ChunkBytes)
                || !given.Shape.SequenceEqual(should.Shape)
            )
                return $"{given.Name} is not {should.Name} of the weights in this encoding";
        }
        return null;
    }
}

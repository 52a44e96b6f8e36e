namespace EgpuFleet.Kernels.Formats.Gguf;

/// <summary>The tensor table: each entry checked by itself, then all extents against the file and each other.</summary>
internal static class GgufTensorTable
{
    public static (IReadOnlyList<GgufTensor> Tensors, long DataOffset) Read(GgufInput input, GgufHeader header)
    {
        var tensors = new List<GgufTensor>();
        var names = new HashSet<string>(StringComparer.Ordinal);
        var retained = header.RetainedBytes;
        for (var i = 0; i < header.TensorCount; i++)
        {
            var tensor = ReadEntry(input, i, header.Alignment);
            if (!names.Add(tensor.Name))
                throw new GgufException(GgufFault.DuplicateTensor, $"The tensor {tensor.Name} appears twice.");
            tensors.Add(tensor);
            retained += tensor.Name.Length;
            GgufHeader.RequireWithinBudget(retained, input.Position);
        }
        var mask = (long)header.Alignment - 1;
        var dataOffset = (input.Position + mask) & ~mask;
        var placed = tensors.ConvertAll(tensor => Place(tensor, dataOffset, input.Length));
        RequireDisjoint(placed);
        return (placed, dataOffset);
    }

    private static GgufTensor ReadEntry(GgufInput input, int index, int alignment)
    {
        var name = input.ReadString(Limits.TensorNameBytes, $"the name of tensor {index}");
        if (name.Length == 0)
            throw new GgufException(GgufFault.Text, $"Tensor {index} has no name.");
        var dimensionCount = input.ReadUInt32();
        if (dimensionCount is 0 or > Limits.Dimensions)
            throw Shape(name, $"has {dimensionCount} dimensions; 1 to {Limits.Dimensions} are possible");
        var dimensions = new long[dimensionCount];
        for (var i = 0; i < dimensions.Length; i++)
        {
            var size = input.ReadUInt64();
            if (size is 0 or > int.MaxValue)
                throw Shape(name, $"has a dimension of {size}");
            dimensions[i] = (long)size;
        }
        var typeId = input.ReadUInt32();
        var type =
            GgufTensorType.Find(typeId)
            ?? throw new GgufException(GgufFault.TensorType, $"The tensor {name} has the unknown type {typeId}.");
        var offset = input.ReadUInt64();
        if (offset > long.MaxValue / 2)
            throw new GgufException(
                GgufFault.TensorExtent,
                $"The tensor {name} starts at the impossible offset {offset}."
            );
        if (offset % (ulong)alignment != 0)
            throw new GgufException(
                GgufFault.Alignment,
                $"The tensor {name} at {offset} is not aligned to {alignment}."
            );
        return new GgufTensor(name, type, dimensions, (long)offset, BytesOf(name, dimensions, type));
    }

    private static long BytesOf(string name, long[] dimensions, GgufTensorType type)
    {
        if (dimensions[0] % type.BlockItems != 0)
            throw Shape(name, $"has rows of {dimensions[0]}, no whole number of {type.Name} blocks");
        var bytes = dimensions.Aggregate(
            (Int128)type.BlockBytes,
            (product, size) => product > long.MaxValue ? product : product * size
        );
        bytes /= type.BlockItems;
        if (bytes > long.MaxValue / 2)
            throw Shape(name, "is larger than any file");
        return (long)bytes;
    }

    private static GgufTensor Place(GgufTensor tensor, long dataOffset, long fileBytes)
    {
        var start = dataOffset + tensor.Offset;
        if (start > fileBytes || tensor.Bytes > fileBytes - start)
        {
            throw new GgufException(
                GgufFault.TensorExtent,
                $"The tensor {tensor.Name} needs bytes {start} to {start + tensor.Bytes} of a file of {fileBytes}."
            );
        }
        return tensor with { Offset = start };
    }

    private static void RequireDisjoint(List<GgufTensor> tensors)
    {
        GgufTensor? previous = null;
        foreach (var tensor in tensors.OrderBy(tensor => tensor.Offset))
        {
            if (previous is not null && tensor.Offset < previous.Offset + previous.Bytes)
            {
                throw new GgufException(
                    GgufFault.TensorExtent,
                    $"The tensors {previous.Name} and {tensor.Name} share bytes from {tensor.Offset} on."
                );
            }
            previous = tensor;
        }
    }

    private static GgufException Shape(string name, string problem) =>
        new(GgufFault.TensorShape, $"The tensor {name} {problem}.");
}

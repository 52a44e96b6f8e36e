namespace EgpuFleet.Kernels.Formats.Gguf;

/// <summary>An array of the metadata: checked when the file was opened, its items left in the file until asked for.</summary>
/// <param name="ItemType">Type of the items; never <see cref="GgufValueType.Array"/>.</param>
/// <param name="Count">How many items.</param>
/// <param name="Offset">Where the first item starts in the file, in bytes.</param>
/// <param name="Bytes">Bytes of all items in the file.</param>
public sealed record GgufArray(GgufValueType ItemType, int Count, long Offset, long Bytes);

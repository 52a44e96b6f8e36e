namespace EgpuFleet.Kernels.Formats.Gguf;

/// <summary>Where a metadata value is in its file.</summary>
internal readonly record struct GgufPair(string Key, GgufValueType Type, long Offset, long Bytes);

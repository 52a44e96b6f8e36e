namespace EgpuFleet.Kernels.Formats.Gguf;

/// <summary>How an engine stores keys and values; the number is bytes per value.</summary>
public enum KvPrecision
{
    /// <summary>16-bit floats: llama.cpp's default.</summary>
    F16 = 2,

    /// <summary>32-bit floats: the exact profile.</summary>
    F32 = 4,
}

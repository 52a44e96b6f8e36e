namespace EgpuFleet.Kernels.Formats.Gguf;

/// <summary>Stable codes of <see cref="GgufException"/>.</summary>
public static class GgufFault
{
    /// <summary>The first four bytes are not <c>GGUF</c>.</summary>
    public const string Magic = "gguf_magic";

    /// <summary>Not version 2 or 3 in little-endian order.</summary>
    public const string Version = "gguf_version";

    /// <summary>The file ends before what it announces.</summary>
    public const string Truncated = "gguf_truncated";

    /// <summary>A count, size or length is beyond <see cref="Limits"/>.</summary>
    public const string Limit = "gguf_limit";

    /// <summary>A key, name or text is not valid UTF-8, or is empty where it may not be.</summary>
    public const string Text = "gguf_text";

    /// <summary>A metadata value is of a type that does not exist, or that its key does not allow.</summary>
    public const string ValueType = "gguf_value_type";

    /// <summary>Two metadata pairs have the same key.</summary>
    public const string DuplicateKey = "gguf_duplicate_key";

    /// <summary>Two tensors have the same name.</summary>
    public const string DuplicateTensor = "gguf_duplicate_tensor";

    /// <summary>The alignment is not a power of two within bounds, or an offset does not keep to it.</summary>
    public const string Alignment = "gguf_alignment";

    /// <summary>A tensor's type is unknown.</summary>
    public const string TensorType = "gguf_tensor_type";

    /// <summary>A tensor's dimensions are zero, too many, too large or no whole number of blocks.</summary>
    public const string TensorShape = "gguf_tensor_shape";

    /// <summary>A tensor's bytes lie outside the file or overlap another's.</summary>
    public const string TensorExtent = "gguf_tensor_extent";

    /// <summary>A vocabulary or pre-tokenizer that this project does not know, or that contradicts itself.</summary>
    public const string Tokenizer = "gguf_tokenizer";

    /// <summary>A valid container, but not of a language model: a needed key is missing or implausible.</summary>
    public const string Model = "gguf_model";
}

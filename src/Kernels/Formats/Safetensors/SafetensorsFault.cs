namespace EgpuFleet.Kernels.Formats.Safetensors;

/// <summary>Stable codes of <see cref="SafetensorsException"/>.</summary>
public static class SafetensorsFault
{
    /// <summary>The file ends before what it announces.</summary>
    public const string Truncated = "safetensors_truncated";

    /// <summary>A count, size or length is beyond <see cref="Limits"/>.</summary>
    public const string Limit = "safetensors_limit";

    /// <summary>The header is not JSON of the format's form: an object of objects, nothing nested deeper, no field unknown or missing.</summary>
    public const string Header = "safetensors_header";

    /// <summary>A name or text is not valid Unicode, or is empty where it may not be.</summary>
    public const string Text = "safetensors_text";

    /// <summary>Two tensors, metadata pairs or fields have the same name.</summary>
    public const string Duplicate = "safetensors_duplicate";

    /// <summary>A tensor's type is unknown, or not the one asked for.</summary>
    public const string TensorType = "safetensors_tensor_type";

    /// <summary>A tensor's shape has too many or impossible dimensions, or does not agree with its bytes.</summary>
    public const string TensorShape = "safetensors_tensor_shape";

    /// <summary>A tensor's bytes lie outside the file or overlap another's, or bytes of the file belong to no tensor.</summary>
    public const string TensorExtent = "safetensors_tensor_extent";

    /// <summary>A folder's index names files that are not there, or tensors that are not in them.</summary>
    public const string Shard = "safetensors_shard";
}

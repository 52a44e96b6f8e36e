using System.Runtime.InteropServices;

namespace EgpuFleet.Kernels.LlamaCpp.Native;

/// <summary>The part of ggml that is used here: backends, and the one multiplication of the self-test.</summary>
internal static unsafe partial class Ggml
{
    public const string Library = "ggml";
    public const string CoreLibrary = "ggml-base";

    public const int DeviceCpu = 0;
    public const int DeviceGpu = 1;
    public const int StatusSuccess = 0;

    [LibraryImport(Library, EntryPoint = "ggml_backend_load_all_from_path", StringMarshalling = StringMarshalling.Utf8)]
    public static partial void BackendLoadAll(string folder);

    [LibraryImport(Library, EntryPoint = "ggml_backend_dev_by_type")]
    public static partial nint DeviceByType(int type);

    [LibraryImport(CoreLibrary, EntryPoint = "ggml_backend_dev_name")]
    public static partial byte* DeviceName(nint device);

    [LibraryImport(CoreLibrary, EntryPoint = "ggml_backend_dev_description")]
    public static partial byte* DeviceDescription(nint device);

    [LibraryImport(CoreLibrary, EntryPoint = "ggml_backend_dev_init")]
    public static partial nint DeviceInit(nint device, byte* parameters);

    [LibraryImport(CoreLibrary, EntryPoint = "ggml_backend_free")]
    public static partial void BackendFree(nint backend);

    [LibraryImport(CoreLibrary, EntryPoint = "ggml_init")]
    public static partial nint Init(GgmlInitParams parameters);

    [LibraryImport(CoreLibrary, EntryPoint = "ggml_free")]
    public static partial void Free(nint context);

    [LibraryImport(CoreLibrary, EntryPoint = "ggml_tensor_overhead")]
    public static partial nuint TensorOverhead();

    [LibraryImport(CoreLibrary, EntryPoint = "ggml_graph_overhead")]
    public static partial nuint GraphOverhead();

    [LibraryImport(CoreLibrary, EntryPoint = "ggml_new_tensor_2d")]
    public static partial nint NewTensor(nint context, int type, long columns, long rows);

    [LibraryImport(CoreLibrary, EntryPoint = "ggml_mul_mat")]
    public static partial nint Multiply(nint context, nint left, nint right);

    [LibraryImport(CoreLibrary, EntryPoint = "ggml_new_graph")]
    public static partial nint NewGraph(nint context);

    [LibraryImport(CoreLibrary, EntryPoint = "ggml_build_forward_expand")]
    public static partial void BuildForward(nint graph, nint tensor);

    [LibraryImport(CoreLibrary, EntryPoint = "ggml_backend_alloc_ctx_tensors")]
    public static partial nint AllocateTensors(nint context, nint backend);

    [LibraryImport(CoreLibrary, EntryPoint = "ggml_backend_buffer_free")]
    public static partial void BufferFree(nint buffer);

    [LibraryImport(CoreLibrary, EntryPoint = "ggml_backend_tensor_set")]
    public static partial void TensorSet(nint tensor, void* data, nuint offset, nuint bytes);

    [LibraryImport(CoreLibrary, EntryPoint = "ggml_backend_tensor_get")]
    public static partial void TensorGet(nint tensor, void* data, nuint offset, nuint bytes);

    [LibraryImport(CoreLibrary, EntryPoint = "ggml_backend_graph_compute")]
    public static partial int GraphCompute(nint backend, nint graph);
}

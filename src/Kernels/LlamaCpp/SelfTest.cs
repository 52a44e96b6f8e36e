using EgpuFleet.Kernels.Engines;
using EgpuFleet.Kernels.LlamaCpp.Native;

namespace EgpuFleet.Kernels.LlamaCpp;

/// <summary>
/// Multiplies two small matrices with the engine's backend and compares with the product computed here. All expected values
/// are far from zero, so that a device which returns nothing fails.
/// </summary>
internal static unsafe class SelfTest
{
    private const int Size = 64;
    private const double Tolerance = 1e-5;
    private const int Tensors = 3;

    /// <exception cref="EngineException"><see cref="EngineErrorClass.Internal"/>: the backend refuses to compute at all.</exception>
    public static SelfTestReport Run(int deviceType)
    {
        var left = Matrix(row => 1 + (row % 7 * 0.125f));
        var right = Matrix(row => 0.5f + (row % 5 * 0.0625f));
        var product = Multiply(deviceType, left, right);
        var largest = 0.0;
        for (var row = 0; row < Size; row++)
        for (var column = 0; column < Size; column++)
        {
            var expected = Dot(left, column, right, row);
            largest = Math.Max(largest, Math.Abs(product[(row * Size) + column] - expected) / expected);
        }
        var passed = largest <= Tolerance;
        var text = $"{Size}x{Size} matrix product, largest relative error {largest:E1}";
        return new SelfTestReport(passed, product.Length, largest, text);
    }

    private static float[] Matrix(Func<int, float> value)
    {
        var matrix = new float[Size * Size];
        for (var i = 0; i < matrix.Length; i++)
            matrix[i] = value(i + (i / Size));
        return matrix;
    }

    private static double Dot(float[] left, int leftRow, float[] right, int rightRow)
    {
        var sum = 0.0;
        for (var i = 0; i < Size; i++)
            sum += (double)left[(leftRow * Size) + i] * right[(rightRow * Size) + i];
        return sum;
    }

    private static float[] Multiply(int deviceType, float[] left, float[] right)
    {
        var backend = Ggml.DeviceInit(Ggml.DeviceByType(deviceType), null);
        var context = Ggml.Init(
            new GgmlInitParams { MemoryBytes = (Tensors * Ggml.TensorOverhead()) + Ggml.GraphOverhead(), NoAlloc = 1 }
        );
        nint buffer = 0;
        try
        {
            var a = Ggml.NewTensor(context, Llama.TypeF32, Size, Size);
            var b = Ggml.NewTensor(context, Llama.TypeF32, Size, Size);
            var c = Ggml.Multiply(context, a, b);
            var graph = Ggml.NewGraph(context);
            Ggml.BuildForward(graph, c);
            buffer = Ggml.AllocateTensors(context, backend);
            var product = new float[Size * Size];
            fixed (float* leftData = left)
                Ggml.TensorSet(a, leftData, 0, (nuint)(left.Length * sizeof(float)));
            fixed (float* rightData = right)
                Ggml.TensorSet(b, rightData, 0, (nuint)(right.Length * sizeof(float)));
            var status = Ggml.GraphCompute(backend, graph);
            if (status != Ggml.StatusSuccess)
                throw new EngineException(
                    EngineErrorClass.Internal,
                    $"The self-test's graph failed with status {status}."
                );
            fixed (float* data = product)
                Ggml.TensorGet(c, data, 0, (nuint)(product.Length * sizeof(float)));
            return product;
        }
        finally
        {
            if (buffer != 0)
                Ggml.BufferFree(buffer);
            Ggml.Free(context);
            Ggml.BackendFree(backend);
        }
    }
}

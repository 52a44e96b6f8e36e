using System.Runtime.InteropServices;
using EgpuFleet.Kernels.LlamaCpp.Native;

namespace EgpuFleet.Kernels.LlamaCpp.Decoding;

/// <summary>The native arrays of one call of <see cref="Llama.Decode"/>, filled again for every call.</summary>
internal sealed unsafe class DecodeBatch : IDisposable
{
    private readonly int capacity;
    private readonly int* tokens;
    private readonly int* positions;
    private readonly int* counts;
    private readonly int* sequences;
    private readonly int** sequencePointers;
    private readonly byte* wantLogits;

    public DecodeBatch(int capacity)
    {
        this.capacity = capacity;
        tokens = Allocate<int>(capacity);
        positions = Allocate<int>(capacity);
        counts = Allocate<int>(capacity);
        sequences = Allocate<int>(capacity);
        wantLogits = Allocate<byte>(capacity);
        sequencePointers = (int**)NativeMemory.AllocZeroed((nuint)capacity, (nuint)sizeof(int*));
        for (var i = 0; i < capacity; i++)
        {
            counts[i] = 1;
            sequencePointers[i] = sequences + i;
        }
    }

    public int Count { get; private set; }

    public void Clear() => Count = 0;

    public void Add(int token, int position, int sequence, bool logits)
    {
        if (Count >= capacity)
            throw new InvalidOperationException($"The batch holds {capacity} tokens.");
        tokens[Count] = token;
        positions[Count] = position;
        sequences[Count] = sequence;
        wantLogits[Count] = logits ? (byte)1 : (byte)0;
        Count++;
    }

    public LlamaBatch Native() =>
        new()
        {
            TokenCount = Count,
            Tokens = tokens,
            Positions = positions,
            SequenceCounts = counts,
            SequenceIds = sequencePointers,
            WantLogits = wantLogits,
        };

    public void Dispose()
    {
        NativeMemory.Free(tokens);
        NativeMemory.Free(positions);
        NativeMemory.Free(counts);
        NativeMemory.Free(sequences);
        NativeMemory.Free(wantLogits);
        NativeMemory.Free(sequencePointers);
    }

    private static T* Allocate<T>(int count)
        where T : unmanaged => (T*)NativeMemory.AllocZeroed((nuint)count, (nuint)sizeof(T));
}

# SPDX-License-Identifier: Apache-2.0
"""centrelines.py FOLDER: one tree of centrelines with radii in every form that VTK itself writes, and tree.txt, what is to be
read: x y z radius parent for each node."""
import sys

import numpy as np
import vtk
from vtk.util.numpy_support import numpy_to_vtk

folder = sys.argv[1]
rng = np.random.default_rng(3)
lines = [np.cumsum(rng.normal(0, 1, (n, 3)) + [0, 0, 2], axis=0) for n in (40, 25, 3)]
lines[1] += lines[0][10] - lines[1][0]  # branches begin at nodes of the first line
lines[2] += lines[0][39] - lines[2][0]
points = np.concatenate(lines).astype(np.float32)
radii = rng.uniform(0.3, 3, len(points))
starts = np.cumsum([0] + [len(line) for line in lines])

with open(f"{folder}/tree.txt", "w") as f:
    for k, first in enumerate(starts[:-1]):
        for i in range(first, starts[k + 1]):
            parent = i - 1 if i > first else (-1, 10, 39)[k]
            f.write(" ".join(repr(float(x)) for x in points[i]) + f" {float(radii[i])!r} {parent}\n")


def poly(name="MaximumInscribedSphereRadius", others=True):
    data = vtk.vtkPolyData()
    p = vtk.vtkPoints()
    p.SetData(numpy_to_vtk(points, deep=True))
    data.SetPoints(p)
    cells = vtk.vtkCellArray()
    for first, end in zip(starts, starts[1:]):
        cells.InsertNextCell(end - first, range(first, end))
    data.SetLines(cells)

    def add(to, array_name, values):
        array = numpy_to_vtk(np.ascontiguousarray(values), deep=True)
        array.SetName(array_name)
        to.AddArray(array)
        return array

    if others:  # what VMTK adds, before and after
        add(data.GetPointData(), "EdgeArray", rng.normal(0, 1, (len(points), 2)))
        add(data.GetCellData(), "Radius", np.full(3, 7.0))  # of lines: not the points'
        verts = vtk.vtkCellArray()
        verts.InsertNextCell(1, [0])
        data.SetVerts(verts)
    array = add(data.GetPointData(), name, radii)
    if others:
        add(data.GetPointData(), "EdgePCoordArray", rng.normal(0, 1, len(points)).astype(np.float32))
        add(data.GetPointData(), "GroupIds", np.arange(len(points)))
        data.GetPointData().SetVectors(add(data.GetPointData(), "Tangents", rng.normal(0, 1, (len(points), 3))))
    else:
        data.GetPointData().SetScalars(array)
    return data


def write(name, writer, data):
    writer.SetInputData(data)
    writer.SetFileName(f"{folder}/{name}")
    if not writer.Write():
        raise SystemExit(f"VTK did not write {name}")


for version in (42, 51):
    for binary in (False, True):
        for others in (False, True):
            writer = vtk.vtkPolyDataWriter()
            writer.SetFileVersion(version)
            writer.SetFileTypeToBinary() if binary else writer.SetFileTypeToASCII()
            write(f"v{version}_{'binary' if binary else 'text'}_{'more' if others else 'bare'}.vtk", writer,
                  poly("MaximumInscribedSphereRadius" if others else "Radius", others))
for mode in ("Ascii", "Binary", "Appended"):
    for compressor in ("None", "ZLib"):
        for order in ("LittleEndian", "BigEndian"):
            for header in ("UInt32", "UInt64"):
                for encode in (True, False):
                    if mode != "Appended" and not encode:
                        continue
                    writer = vtk.vtkXMLPolyDataWriter()
                    getattr(writer, f"SetDataModeTo{mode}")()
                    getattr(writer, f"SetCompressorTypeTo{compressor}")()
                    getattr(writer, f"SetByteOrderTo{order}")()
                    getattr(writer, f"SetHeaderTypeTo{header}")()
                    writer.SetEncodeAppendedData(encode)
                    writer.SetBlockSize(256)  # several blocks
                    write(f"{mode}_{compressor}_{order}_{header}_{encode}.vtp", writer, poly())
writer = vtk.vtkXMLPolyDataWriter()
writer.SetCompressorTypeToLZ4()
write("lz4.refused", writer, poly())
grid = vtk.vtkUnstructuredGrid()
grid.SetPoints(poly().GetPoints())
grid.SetCells(4, poly().GetLines())
for k in range(poly().GetPointData().GetNumberOfArrays()):
    grid.GetPointData().AddArray(poly().GetPointData().GetArray(k))
writer = vtk.vtkUnstructuredGridWriter()
writer.SetFileTypeToBinary()
write("grid.vtk", writer, grid)

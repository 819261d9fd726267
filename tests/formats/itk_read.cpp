// SPDX-License-Identifier: Apache-2.0
// itk_read FILE VALUES: what ITK sees in an image. Prints size, spacing, origin, direction (by rows) and the number of
// components, a line each; leaves the values as float32 in VALUES.
#include <itkGDCMImageIOFactory.h>
#include <itkImageFileReader.h>
#include <itkMetaImageIOFactory.h>
#include <itkNiftiImageIOFactory.h>
#include <itkNrrdImageIOFactory.h>
#include <itkVectorImage.h>

#include <fstream>
#include <iostream>

template <class Image>
void read(const char* file, const char* values) {
  auto reader = itk::ImageFileReader<Image>::New();
  reader->SetFileName(file);
  reader->Update();
  const Image* image = reader->GetOutput();
  constexpr unsigned rank = Image::ImageDimension;
  const auto size = image->GetLargestPossibleRegion().GetSize();
  std::cout.precision(17);
  for (unsigned i = 0; i < rank; ++i) std::cout << size[i] << ' ';
  std::cout << '\n';
  for (unsigned i = 0; i < rank; ++i) std::cout << image->GetSpacing()[i] << ' ';
  std::cout << '\n';
  for (unsigned i = 0; i < rank; ++i) std::cout << image->GetOrigin()[i] << ' ';
  std::cout << '\n';
  for (unsigned i = 0; i < rank; ++i)
    for (unsigned j = 0; j < rank; ++j) std::cout << image->GetDirection()(i, j) << ' ';
  std::cout << '\n' << image->GetNumberOfComponentsPerPixel() << '\n';
  std::ofstream(values, std::ios::binary)
      .write(reinterpret_cast<const char*>(image->GetBufferPointer()),
             static_cast<std::streamsize>(image->GetLargestPossibleRegion().GetNumberOfPixels() *
                                          image->GetNumberOfComponentsPerPixel() * sizeof(float)));
}

int main(int argc, char** argv) try {
  if (argc != 3) return 2;
  itk::GDCMImageIOFactory::RegisterOneFactory();
  itk::MetaImageIOFactory::RegisterOneFactory();
  itk::NiftiImageIOFactory::RegisterOneFactory();
  itk::NrrdImageIOFactory::RegisterOneFactory();
  const auto io = itk::ImageIOFactory::CreateImageIO(argv[1], itk::CommonEnums::IOFileMode::ReadMode);
  if (!io) throw std::runtime_error("no reader takes it");
  io->SetFileName(argv[1]);
  io->ReadImageInformation();
  if (io->GetNumberOfDimensions() == 4)
    read<itk::Image<float, 4>>(argv[1], argv[2]);
  else if (io->GetNumberOfComponents() > 1)
    read<itk::VectorImage<float, 3>>(argv[1], argv[2]);
  else
    read<itk::Image<float, 3>>(argv[1], argv[2]);
} catch (const std::exception& e) {
  std::cerr << "itk_read: " << e.what() << '\n';
  return 1;
}

module reef.example/place_region

go 1.24
